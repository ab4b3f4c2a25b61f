import { QuantityError } from './quantity-error.ts'

const [microsecond, millisecond, second, minute, hour] = [1_000n, 1_000_000n, 1_000_000_000n, 60_000_000_000n, 3_600_000_000_000n]
const nanosPer: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: microsecond,
  µs: microsecond,
  μs: microsecond,
  ms: millisecond,
  s: second,
  m: minute,
  h: hour,
}
const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y

/** Reads a duration in Go's syntax (`time.ParseDuration`): `1h2m3s`, `1.5h`, `300ms`, `-5s`, `0`. Nanoseconds. Throws `DURATION_INVALID`. */
export function parseDurationNanos(text: string): bigint {
  const fail = (): never => {
    throw new QuantityError(
      'DURATION_INVALID',
      `${JSON.stringify(text)} is no duration`,
      'write numbers with units, such as 1h30m, 10s or 250ms',
    )
  }
  const negative = text.startsWith('-')
  const body = negative || text.startsWith('+') ? text.slice(1) : text
  if (body === '0') return 0n
  if (body === '') return fail()
  let total = 0n
  part.lastIndex = 0
  while (part.lastIndex < body.length) {
    const match = part.exec(body)
    if (match === null) return fail()
    const [, whole = '', fraction = '', unit] = match
    if (whole === '' && fraction === '') return fail()
    const scale = nanosPer[unit as string] as bigint
    total += BigInt(whole === '' ? 0 : whole) * scale + (fraction === '' ? 0n : (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length))
  }
  if (total > 2n ** 63n - 1n) return fail()
  return negative ? -total : total
}

/** {@link parseDurationNanos} in milliseconds, fractions kept. */
export const parseDuration = (text: string): number => Number(parseDurationNanos(text)) / 1e6

/** Writes nanoseconds as Go does: `1h2m3s`, `1.5s`, `300ms`, `0s`. */
export function formatDurationNanos(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const absolute = nanos < 0n ? -nanos : nanos
  if (absolute < microsecond) return `${sign}${absolute}ns`
  if (absolute < millisecond) return `${sign}${decimal(absolute, microsecond)}µs`
  if (absolute < second) return `${sign}${decimal(absolute, millisecond)}ms`
  const hours = absolute / hour
  const minutes = (absolute / minute) % 60n
  const seconds = `${decimal(absolute % minute, second)}s`
  return `${sign}${hours > 0n ? `${hours}h` : ''}${hours > 0n || minutes > 0n ? `${minutes}m` : ''}${seconds}`
}

/** Writes milliseconds as Go does. */
export const formatDuration = (milliseconds: number): string => formatDurationNanos(BigInt(Math.round(milliseconds * 1e6)))

function decimal(value: bigint, unit: bigint): string {
  const rest = value % unit
  if (rest === 0n) return String(value / unit)
  const digits = String(rest)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '')
  return `${value / unit}.${digits}`
}

/**
 * The short age that kubectl prints in AGE columns (apimachinery `duration.HumanDuration`): `5s`, `3m20s`, `2d4h`, `1y30d`.
 * Anything more than a second in the future is `<invalid>`.
 */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.floor(hours / 24 / 365)
  if (hours < 24 * 365 * 8) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`
  return `${years}y`
}
