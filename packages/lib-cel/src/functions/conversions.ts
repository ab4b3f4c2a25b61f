import { CelEvaluationError } from '../cel-error.ts'
import { formatDuration, formatTimestamp, nanosPerSecond, parseDuration, parseTimestamp, timestampOf } from '../values/time.ts'
import { type Duration, type Timestamp, TypeValue, typeNameOf, type Uint, type Value } from '../values/value.ts'
import { toInt, toUint } from './operators.ts'
import { fn, type Overload, walksFirst } from './overload.ts'

const same = (value: Value): Value => value
const fail = (type: string, text: string): never => {
  throw new CelEvaluationError(`type conversion error: ${JSON.stringify(text.slice(0, 100))} is no ${type}`)
}

function wholeOf(value: number): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new CelEvaluationError('integer overflow')
  return BigInt(Math.trunc(value))
}

const readInteger = (type: string, text: string): bigint =>
  /^[+-]?\d{1,20}$/.test(text) ? BigInt(text.replace('+', '')) : fail(type, text)

function readDouble(text: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : fail('double', text)
}

function readBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : fail('bool', text)
}

export function showDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return Object.is(value, -0) ? '-0' : String(value)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CelEvaluationError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

export const conversions: readonly Overload[] = [
  fn('dyn(A): dyn', same),
  fn('type(A): type', (value: Value) => new TypeValue(typeNameOf(value))),
  fn('bool(bool): bool', same),
  fn('bool(string): bool', readBool),
  fn('bytes(bytes): bytes', same),
  fn('bytes(string): bytes', (text: string) => new TextEncoder().encode(text), { ...walksFirst, size: (size) => size * 3 }),
  fn('double(double): double', same),
  fn('double(int): double', (value: bigint) => Number(value)),
  fn('double(uint): double', (value: Uint) => Number(value.value)),
  fn('double(string): double', readDouble, walksFirst),
  fn('int(int): int', same),
  fn('int(uint): int', (value: Uint) => toInt(value.value)),
  fn('int(double): int', (value: number) => toInt(wholeOf(value))),
  fn('int(string): int', (text: string) => toInt(readInteger('int', text))),
  fn('int(timestamp): int', (value: Timestamp) => floorDivide(value.nanos, nanosPerSecond)),
  fn('int(duration): int', (value: Duration) => value.nanos),
  fn('uint(uint): uint', same),
  fn('uint(int): uint', toUint),
  fn('uint(double): uint', (value: number) => toUint(wholeOf(value))),
  fn('uint(string): uint', (text: string) => toUint(readInteger('uint', text))),
  fn('string(string): string', same, { size: (size) => size }),
  fn('string(bool): string', String, { size: () => 5 }),
  fn('string(int): string', String, { size: () => 20 }),
  fn('string(uint): string', (value: Uint) => String(value.value), { size: () => 20 }),
  fn('string(double): string', showDouble, { size: () => 25 }),
  fn('string(bytes): string', decode, walksFirst),
  fn('string(timestamp): string', formatTimestamp, { size: () => 35 }),
  fn('string(duration): string', formatDuration, { size: () => 25 }),
  fn('timestamp(timestamp): timestamp', same),
  fn('timestamp(string): timestamp', parseTimestamp),
  fn('timestamp(int): timestamp', (seconds: bigint) => timestampOf(seconds * nanosPerSecond)),
  fn('duration(duration): duration', same),
  fn('duration(string): duration', parseDuration),
]

const floorDivide = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by
