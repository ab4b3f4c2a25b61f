import { CelEvaluationError } from '../cel-error.ts'
import type { Meter } from '../evaluate/meter.ts'
import { ArrayList, depthOf, elementsOf, JoinedList, MergedList } from '../values/collections.ts'
import { equal, identityOf, numeric } from '../values/equality.ts'
import { durationOf, timestampOf } from '../values/time.ts'
import { type CelList, type CelMap, type Duration, type Timestamp, Uint, type Value } from '../values/value.ts'
import { type CostRule, fn, metered, type Overload, perCharacter } from './overload.ts'

const maxInt = 2n ** 63n - 1n
const minInt = -(2n ** 63n)
const maxUint = 2n ** 64n - 1n

export function toInt(value: bigint): bigint {
  if (value > maxInt || value < minInt) throw new CelEvaluationError('integer overflow')
  return value
}

export function toUint(value: bigint): Uint {
  if (value < 0n || value > maxUint) throw new CelEvaluationError('unsigned integer overflow')
  return new Uint(value)
}

function divisor(value: bigint, what: string): bigint {
  if (value === 0n) throw new CelEvaluationError(`${what} by zero`)
  return value
}

const arithmetic: readonly Overload[] = [
  fn('_+_(int, int): int', (a: bigint, b: bigint) => toInt(a + b)),
  fn('_-_(int, int): int', (a: bigint, b: bigint) => toInt(a - b)),
  fn('_*_(int, int): int', (a: bigint, b: bigint) => toInt(a * b)),
  fn('_/_(int, int): int', (a: bigint, b: bigint) => toInt(a / divisor(b, 'division'))),
  fn('_%_(int, int): int', (a: bigint, b: bigint) => a % divisor(b, 'modulus')),
  fn('-_(int): int', (a: bigint) => toInt(-a)),
  fn('_+_(uint, uint): uint', (a: Uint, b: Uint) => toUint(a.value + b.value)),
  fn('_-_(uint, uint): uint', (a: Uint, b: Uint) => toUint(a.value - b.value)),
  fn('_*_(uint, uint): uint', (a: Uint, b: Uint) => toUint(a.value * b.value)),
  fn('_/_(uint, uint): uint', (a: Uint, b: Uint) => toUint(a.value / divisor(b.value, 'division'))),
  fn('_%_(uint, uint): uint', (a: Uint, b: Uint) => toUint(a.value % divisor(b.value, 'modulus'))),
  fn('_+_(double, double): double', (a: number, b: number) => a + b),
  fn('_-_(double, double): double', (a: number, b: number) => a - b),
  fn('_*_(double, double): double', (a: number, b: number) => a * b),
  fn('_/_(double, double): double', (a: number, b: number) => a / b),
  fn('-_(double): double', (a: number) => -a),
  fn('_+_(duration, duration): duration', (a: Duration, b: Duration) => durationOf(a.nanos + b.nanos)),
  fn('_-_(duration, duration): duration', (a: Duration, b: Duration) => durationOf(a.nanos - b.nanos)),
  fn('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => timestampOf(a.nanos + b.nanos)),
  fn('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => timestampOf(a.nanos + b.nanos)),
  fn('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => timestampOf(a.nanos - b.nanos)),
  fn('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => durationOf(a.nanos - b.nanos)),
  fn('-_(duration): duration', (a: Duration) => durationOf(-a.nanos)),
  fn('!_(bool): bool', (a: boolean) => !a),
]

const joined: CostRule = { cost: (a, b) => perCharacter(a + b), size: (a, b) => a + b }

/** Longest text that an expression may make. */
const maxText = 8 * 1024 * 1024

export function checkLength(length: number): void {
  if (length > maxText) throw new CelEvaluationError(`string of more than ${maxText} characters`)
}

const concatenation: readonly Overload[] = [
  fn(
    '_+_(string, string): string',
    (a: string, b: string) => {
      checkLength(a.length + b.length)
      return a + b
    },
    joined,
  ),
  fn('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b]), joined),
  metered(undefined, '_+_(list<A>, list<A>): list<A>', concatenate, { size: (a, b) => a + b }),
]

/** Lists up to this size are copied; larger ones are joined, so deep at most: memory must not grow quicker than cost. */
const copiedSize = 64
const joinedDepth = 16

function concatenate(a: CelList, b: CelList, meter: Meter): Value {
  const { listType } = a
  const size = a.size + b.size
  const isJoined = listType === undefined && size > copiedSize && Math.max(depthOf(a), depthOf(b)) < joinedDepth
  meter.charge(isJoined ? 1 : perCharacter(Math.min(size, copiedSize)) + Math.max(0, size - copiedSize))
  if (isJoined) return new JoinedList(a, b)
  if (listType === undefined) return new ArrayList([...elementsOf(a), ...elementsOf(b)])
  return new MergedList(merge(a, b, meter), listType, a.keys)
}

/** The union of two sets; of two associative lists, where the later entry of a key takes the earlier one's place. */
function merge(a: CelList, b: CelList, meter: Meter): Value[] {
  const places = new Map<string, number[]>()
  const items: Value[] = []
  for (const [fromRight, list] of [[false, a] as const, [true, b] as const])
    for (const item of elementsOf(list)) {
      const id = identityOf(item, a.keys)
      const known = places.get(id)
      const place = fromRight ? known?.find((at) => a.listType === 'map' || same(items[at] as Value, item, meter)) : undefined
      if (place !== undefined) {
        items[place] = item
        continue
      }
      if (known === undefined) places.set(id, [items.length])
      else known.push(items.length)
      items.push(item)
    }
  return items
}

function same(a: Value, b: Value, meter: Meter): boolean {
  meter.charge(1)
  return equal(a, b, meter)
}

const smaller: CostRule = { cost: (a, b) => Math.max(1, perCharacter(Math.min(a, b))) }

const equality: readonly Overload[] = [
  metered(undefined, '_==_(A, A): bool', (a: Value, b: Value, meter: Meter) => equal(a, b, meter), smaller),
  metered(undefined, '_!=_(A, A): bool', (a: Value, b: Value, meter: Meter) => !equal(a, b, meter), smaller),
]

/** Negative, zero or positive; NaN when a number is none. */
function order(a: Value, b: Value): number {
  if (typeof a === 'string') return compareText(a, b as string)
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  const left = typeof a === 'boolean' ? Number(a) : (numeric(a) ?? (a as Timestamp).nanos)
  const right = typeof b === 'boolean' ? Number(b) : (numeric(b) ?? (b as Timestamp).nanos)
  return left < right ? -1 : left > right ? 1 : Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0
}

/** By code points, which UTF-16 units do not keep in order above U+D7FF. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return isSurrogate(left) === isSurrogate(right) ? left - right : isSurrogate(left) ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff

const comparable = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'].map((type) => [type, type] as const)
const mixed = [
  ['int', 'uint'],
  ['int', 'double'],
  ['uint', 'int'],
  ['uint', 'double'],
  ['double', 'int'],
  ['double', 'uint'],
] as const

const relations: readonly Overload[] = [...comparable, ...mixed].flatMap(([a, b]) => [
  fn(`_<_(${a}, ${b}): bool`, (left: Value, right: Value) => order(left, right) < 0, smaller),
  fn(`_<=_(${a}, ${b}): bool`, (left: Value, right: Value) => order(left, right) <= 0, smaller),
  fn(`_>_(${a}, ${b}): bool`, (left: Value, right: Value) => order(left, right) > 0, smaller),
  fn(`_>=_(${a}, ${b}): bool`, (left: Value, right: Value) => order(left, right) >= 0, smaller),
])

const membership: readonly Overload[] = [
  metered(
    undefined,
    '_in_(A, list<A>): bool',
    (item: Value, list: CelList, meter: Meter) => elementsOf(list).some((other) => equal(item, other, meter)),
    { cost: (_item, list) => Math.max(1, list) },
  ),
  fn('_in_(A, map<A, B>): bool', (key: Value, map: CelMap) => map.get(key) !== undefined),
]

export const operators: readonly Overload[] = [...arithmetic, ...concatenation, ...equality, ...relations, ...membership]
