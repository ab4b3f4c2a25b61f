import { QuantityError } from './quantity-error.ts'

/** An amount as the API carries it: `250m`, `1.5`, `64Mi`, `2e3`. */
export type Quantity = string

/** How a quantity was written, and so how sums that begin with it are written. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** A quantity as an exact number of billionths, the finest step that Kubernetes knows. */
export interface ExactQuantity {
  readonly nano: bigint
  readonly format: QuantityFormat
}

/** What every function here accepts. A number is what YAML makes of an unquoted `1`. */
export type QuantityLike = Quantity | number | ExactQuantity

const nanosPerUnit = 1_000_000_000n
const largest = (2n ** 63n - 1n) * nanosPerUnit
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffixes = ['', ...Object.keys(binaryExponents)]
const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/

/** The pattern that Kubernetes names when it refuses a quantity. */
export const quantityPattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'

/**
 * Reads a quantity (k8s.io/apimachinery, pkg/api/resource). Fractions below a billionth are rounded away from zero,
 * amounts beyond 2^63-1 are cut to it, both as Kubernetes does. Throws `QUANTITY_INVALID`.
 */
export function parseQuantity(value: QuantityLike): ExactQuantity {
  if (typeof value === 'object') return value
  const text = typeof value === 'number' ? plainNumber(value) : value
  const match = syntax.exec(text)
  const [, sign, whole = '', fraction = '', suffix = ''] = match ?? []
  if (match === null || (whole === '' && fraction === '')) {
    throw new QuantityError(
      'QUANTITY_INVALID',
      `${JSON.stringify(value)} is no quantity`,
      'write a number with an optional suffix, such as 250m, 1.5, 64Mi or 2e3',
    )
  }
  const binary = binaryExponents[suffix]
  const format: QuantityFormat = binary !== undefined ? 'BinarySI' : /^[eE]./.test(suffix) ? 'DecimalExponent' : 'DecimalSI'
  const exponent = format === 'DecimalExponent' ? Number(suffix.slice(1)) : (decimalExponents[suffix] ?? 0)
  const digits = BigInt(whole + fraction)
  const scaled = binary === undefined ? digits : digits << BigInt(binary)
  const nano = digits === 0n ? 0n : shift(scaled, 9 + (binary === undefined ? exponent : 0) - fraction.length)
  const capped = nano > largest ? largest : nano
  return { nano: sign === '-' ? -capped : capped, format }
}

/** `value × 10^places`, rounded up. Far beyond either end the result is known without computing it. */
function shift(value: bigint, places: number): bigint {
  if (places > 40) return largest + 1n
  if (places >= 0) return value * 10n ** BigInt(places)
  if (-places > 400) return 1n
  return divideUp(value, 10n ** BigInt(-places))
}

const plainNumber = (value: number): string => (Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(0) : String(value))

/** True when {@link parseQuantity} accepts the value. */
export const isQuantity = (value: unknown): value is Quantity | number =>
  (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) && attempt(value) !== undefined

function attempt(value: Quantity | number): ExactQuantity | undefined {
  try {
    return parseQuantity(value)
  } catch {
    return undefined
  }
}

/** The canonical text: no fraction, the largest suffix that loses nothing. `0.5` → `500m`, `1024Mi` → `1Gi`, `1500m` → `1500m`. */
export function formatQuantity(value: QuantityLike): Quantity {
  const { nano, format } = parseQuantity(value)
  if (nano === 0n) return '0'
  const units = nano / nanosPerUnit
  if (format === 'BinarySI' && units * nanosPerUnit === nano && (units >= 1024n || units <= -1024n)) return formatBinary(units)
  let mantissa = nano
  let exponent = -9
  while (mantissa % 1000n === 0n && exponent < 18) {
    mantissa /= 1000n
    exponent += 3
  }
  return format === 'DecimalExponent' ? `${mantissa}${exponent === 0 ? '' : `e${exponent}`}` : `${mantissa}${decimalSuffixes.get(exponent)}`
}

function formatBinary(units: bigint): Quantity {
  let mantissa = units
  let step = 0
  while (mantissa % 1024n === 0n && step < binarySuffixes.length - 1) {
    mantissa /= 1024n
    step++
  }
  return `${mantissa}${binarySuffixes[step]}`
}

/** Negative, zero or positive, as comparators return. */
export const compareQuantities = (a: QuantityLike, b: QuantityLike): number => {
  const difference = parseQuantity(a).nano - parseQuantity(b).nano
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The sum, in the format of the first operand that is not zero. */
export const addQuantities = (a: QuantityLike, b: QuantityLike): ExactQuantity => combine(parseQuantity(a), parseQuantity(b), 1n)

/** The difference, in the format of the first operand that is not zero. */
export const subtractQuantities = (a: QuantityLike, b: QuantityLike): ExactQuantity => combine(parseQuantity(a), parseQuantity(b), -1n)

const combine = (a: ExactQuantity, b: ExactQuantity, sign: bigint): ExactQuantity => ({
  nano: a.nano + sign * b.nano,
  format: a.nano === 0n ? b.format : a.format,
})

/** Whole units, rounded away from zero: bytes of memory, whole cores. */
export const quantityValue = (value: QuantityLike): bigint => divideUp(parseQuantity(value).nano, nanosPerUnit)

/** Thousandths, rounded away from zero: the unit in which CPU is counted. */
export const quantityMilliValue = (value: QuantityLike): bigint => divideUp(parseQuantity(value).nano, 1_000_000n)

/** The nearest floating point number: for metrics and scores, not for bookkeeping. */
export const quantityToNumber = (value: QuantityLike): number => {
  const { nano } = parseQuantity(value)
  return Number(nano / nanosPerUnit) + Number(nano % nanosPerUnit) / 1e9
}

const divideUp = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  const remainder = dividend % divisor
  return remainder === 0n ? quotient : quotient + (remainder > 0n ? 1n : -1n)
}
