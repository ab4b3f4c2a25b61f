import { ApiError } from '../errors/api-error.ts'
import { fieldError } from '../errors/field-error.ts'
import { labelKeyFaults, labelValueFaults } from './label-syntax.ts'

/** `=` and `==` mean the same; `!` is "does not exist". */
export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'exists' | '!' | 'gt' | 'lt'

/** One condition on an object's labels; a selector is a list of them, all of which must hold. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted, without repetitions. Empty for `exists` and `!`, one value for `=`, `==`, `!=`, `gt`, `lt`. */
  readonly values: readonly string[]
}

/** Every operator, in the order in which errors list them. */
export const labelOperators: readonly LabelOperator[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt', 'exists', '!']

const int64 = /^[+-]?\d{1,19}$/

/** True for what Go's ParseInt(…, 10, 64) accepts. */
export function isInt64(text: string): boolean {
  if (!int64.test(text)) return false
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= -(2n ** 63n) && value < 2n ** 63n
}

function* requirementFaults(key: string, operator: LabelOperator, values: readonly string[]): Generator<string> {
  const say = (error: { field: string; message: string }): string => `${error.field}: ${error.message}`
  const keyFaults = labelKeyFaults(key)
  if (keyFaults.length > 0) yield say(fieldError.invalid('key', key, keyFaults.join('; ')))
  switch (operator) {
    case 'in':
    case 'notin':
      if (values.length === 0) yield say(fieldError.invalid('values', values, "for 'in', 'notin' operators, values set can't be empty"))
      break
    case '=':
    case '==':
    case '!=':
      if (values.length !== 1) yield say(fieldError.invalid('values', values, 'exact-match compatibility requires one single value'))
      break
    case 'exists':
    case '!':
      if (values.length !== 0) yield say(fieldError.invalid('values', values, 'values set must be empty for exists and does not exist'))
      break
    case 'gt':
    case 'lt':
      if (values.length !== 1) yield say(fieldError.invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required"))
      for (const [i, value] of values.entries())
        if (!isInt64(value)) yield say(fieldError.invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"))
      break
    default:
      yield say(fieldError.notSupported('operator', operator, labelOperators))
  }
  for (const [i, value] of values.entries()) {
    const faults = labelValueFaults(value)
    if (faults.length > 0) yield say(fieldError.invalid(`values[${i}][${key}]`, value, faults.join('; ')))
  }
}

/**
 * A checked requirement. Throws BadRequest with Kubernetes' wording when key, operator or values do not fit;
 * `prefix` goes in front of the message.
 */
export function labelRequirement(key: string, operator: LabelOperator, values: readonly string[], prefix = ''): LabelRequirement {
  const sorted = [...new Set(values)].sort()
  const faults = [...requirementFaults(key, operator, sorted)]
  if (faults.length === 1) throw new ApiError('BadRequest', `${prefix}${faults[0]}`)
  if (faults.length > 1) throw new ApiError('BadRequest', `${prefix}[${faults.join(', ')}]`)
  return { key, operator, values: sorted }
}

/** The text of a requirement in the form that {@link parseLabelSelector} reads. */
export function formatLabelRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}
