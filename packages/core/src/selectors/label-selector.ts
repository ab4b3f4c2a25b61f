import { ApiError } from '../errors/api-error.ts'
import { isInt64, type LabelOperator, type LabelRequirement, labelRequirement } from './label-requirement.ts'

/** The selector that objects carry in their spec. All parts must hold; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly LabelSelectorRequirement[]
}

/** One expression of a {@link LabelSelector}. */
export interface LabelSelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | (string & {})
  readonly values?: readonly string[]
}

/** Tells whether an object with these labels is selected. */
export type LabelPredicate = (labels: Readonly<Record<string, string>> | undefined) => boolean

const operators: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/**
 * The requirements of a selector object. `undefined` stands for "selects nothing", which is what a missing selector means;
 * an empty selector gives an empty list, which selects everything. Throws BadRequest for an unknown operator or a bad key or value.
 */
export function labelSelectorRequirements(selector: LabelSelector | null | undefined): readonly LabelRequirement[] | undefined {
  if (selector === undefined || selector === null) return undefined
  const requirements: LabelRequirement[] = []
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push(labelRequirement(key, '=', [value]))
  for (const expression of selector.matchExpressions ?? []) {
    const operator = Object.hasOwn(operators, expression.operator) ? operators[expression.operator] : undefined
    if (operator === undefined)
      throw new ApiError('BadRequest', `${JSON.stringify(expression.operator)} is not a valid label selector operator`)
    requirements.push(labelRequirement(expression.key, operator, expression.values ?? []))
  }
  return requirements
}

const labelOf = (labels: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined

function compileRequirement({ key, operator, values }: LabelRequirement): LabelPredicate {
  switch (operator) {
    case 'exists':
      return (labels) => labelOf(labels, key) !== undefined
    case '!':
      return (labels) => labelOf(labels, key) === undefined
    case '=':
    case '==': {
      const wanted = values[0]
      return (labels) => labelOf(labels, key) === wanted
    }
    case '!=': {
      const unwanted = values[0]
      return (labels) => labelOf(labels, key) !== unwanted
    }
    case 'in': {
      const wanted = new Set<string | undefined>(values)
      return (labels) => wanted.has(labelOf(labels, key))
    }
    case 'notin': {
      const unwanted = new Set<string | undefined>(values)
      return (labels) => !unwanted.has(labelOf(labels, key))
    }
    default: {
      const bound = BigInt(values[0] as string)
      const holds = operator === 'gt' ? (value: bigint) => value > bound : (value: bigint) => value < bound
      return (labels) => {
        const value = labelOf(labels, key)
        return value !== undefined && isInt64(value) && holds(BigInt(value.replace(/^\+/, '')))
      }
    }
  }
}

const everything: LabelPredicate = () => true
const nothing: LabelPredicate = () => false

/** A predicate for requirements as {@link parseLabelSelector} gives them. Compile once, call per object. */
export function compileLabelRequirements(requirements: readonly LabelRequirement[] | undefined): LabelPredicate {
  if (requirements === undefined) return nothing
  const [first, ...rest] = requirements.map(compileRequirement)
  if (first === undefined) return everything
  return rest.length === 0 ? first : (labels) => first(labels) && rest.every((matches) => matches(labels))
}

/** A predicate for a selector object. A missing selector selects nothing, an empty one everything. */
export const compileLabelSelector = (selector: LabelSelector | null | undefined): LabelPredicate =>
  compileLabelRequirements(labelSelectorRequirements(selector))
