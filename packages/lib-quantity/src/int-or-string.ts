import { QuantityError } from './quantity-error.ts'

/** A number, or a text: a port's name, or a percentage such as `25%`. */
export type IntOrString = number | string

const percentage = /^(\d+)%$/

/** The whole number before `%`, or undefined when the value is no percentage. */
export function percentOf(value: IntOrString): number | undefined {
  const match = typeof value === 'string' ? percentage.exec(value) : null
  return match === null ? undefined : Number(match[1])
}

/**
 * A count that may be given as a percentage of `total`, as `maxSurge` and `maxUnavailable` are.
 * Percentages round as asked. Throws `INT_OR_STRING_INVALID` for any other text.
 */
export function scaledValue(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === undefined)
    throw new QuantityError('INT_OR_STRING_INVALID', `${JSON.stringify(value)} is neither a number nor a percentage`, 'write 3 or 25%')
  return round === 'up' ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100)
}
