import { formatDurationNanos, parseDurationNanos } from '@continuo/lib-quantity'
import { CelEvaluationError } from '../cel-error.ts'
import { Duration, Timestamp } from './value.ts'

export const nanosPerSecond = 1_000_000_000n
const nanosPerMilli = 1_000_000n
/** Years 1 to 9999, as protobuf has them. */
const earliest = -62_135_596_800n * nanosPerSecond
const latest = 253_402_300_800n * nanosPerSecond - 1n
const maxInt = 2n ** 63n - 1n

const rfc3339 = /^(\d{4}-\d{2}-\d{2})(?:[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2}))?$/

export function timestampOf(nanos: bigint): Timestamp {
  if (nanos < earliest || nanos > latest) throw new CelEvaluationError('timestamp overflow')
  return new Timestamp(nanos)
}

export function durationOf(nanos: bigint): Duration {
  if (nanos > maxInt || nanos < -maxInt - 1n) throw new CelEvaluationError('duration overflow')
  return new Duration(nanos)
}

/** Reads RFC 3339, or a date alone as the formats `date` of a schema has it. */
export function parseTimestamp(text: string): Timestamp {
  const match = rfc3339.exec(text)
  const millis = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}${(match[4] ?? 'Z').toUpperCase()}`)
  // Date.parse takes the 30th of February for a March day.
  const isReal =
    match !== null &&
    !Number.isNaN(Date.parse(`${match[1]}T00:00:00Z`)) &&
    new Date(`${match[1]}T00:00:00Z`).toISOString().startsWith(match[1] as string)
  if (!isReal || Number.isNaN(millis)) throw new CelEvaluationError(`invalid timestamp: ${JSON.stringify(text.slice(0, 100))}`)
  return timestampOf(BigInt(millis) * nanosPerMilli + BigInt((match[3] ?? '').padEnd(9, '0')))
}

export function formatTimestamp({ nanos }: Timestamp): string {
  const fraction = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond
  const seconds = new Date(Number((nanos - fraction) / nanosPerMilli)).toISOString().slice(0, 19)
  return fraction === 0n ? `${seconds}Z` : `${seconds}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}Z`
}

/** Reads a duration in Go's syntax: `1h30m`. */
export function parseDuration(text: string): Duration {
  try {
    return new Duration(parseDurationNanos(text))
  } catch (cause) {
    throw new CelEvaluationError(`invalid duration: ${(cause as Error).message}`)
  }
}

/** Seconds with their fraction, as CEL writes durations: `5400s`. */
export function formatDuration({ nanos }: Duration): string {
  const sign = nanos < 0n ? '-' : ''
  const absolute = nanos < 0n ? -nanos : nanos
  const fraction = absolute % nanosPerSecond
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${sign}${absolute / nanosPerSecond}${digits}s`
}

export { formatDurationNanos }
