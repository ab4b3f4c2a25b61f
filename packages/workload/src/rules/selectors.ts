import {
  compileLabelSelector,
  type DeepReadonly,
  type FieldError,
  fieldError,
  labelKeyFaults,
  labelValueFaults,
  validateLabels,
} from '@continuo/core'
import type { LabelSelector, LabelSelectorRequirement } from '../generated/types/meta-v1.ts'
import { each } from './each.ts'

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/** The syntax of a label selector (apimachinery `ValidateLabelSelector`). */
export function checkLabelSelector(selector: DeepReadonly<LabelSelector> | undefined, path: string, errors: FieldError[]): void {
  if (selector === undefined) return
  validateLabels(selector.matchLabels, `${path}.matchLabels`, errors)
  each(selector.matchExpressions, `${path}.matchExpressions`, (expression, at) => checkRequirement(expression, at, errors))
}

function checkRequirement({ key, operator, values }: DeepReadonly<LabelSelectorRequirement>, path: string, errors: FieldError[]): void {
  const count = values?.length ?? 0
  if (!operators.includes(operator)) errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'))
  else if ((operator === 'In' || operator === 'NotIn') && count === 0)
    errors.push(fieldError.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  else if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0)
    errors.push(fieldError.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  for (const fault of labelKeyFaults(key)) errors.push(fieldError.invalid(`${path}.key`, key, fault))
  values?.forEach((value, index) => {
    for (const fault of labelValueFaults(value)) errors.push(fieldError.invalid(`${path}.values[${index}]`, value, fault))
  })
}

/** True for a selector that selects everything, or for none at all. */
export const isEmptySelector = (selector: DeepReadonly<LabelSelector> | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions?.length ?? 0) === 0

/** The selector of a workload: required, not empty, well-formed, and matching the labels of its own template. */
export function checkOwnSelector(
  selector: DeepReadonly<LabelSelector> | undefined,
  labels: DeepReadonly<Record<string, string>> | undefined,
  kind: string,
  errors: FieldError[],
): void {
  if (selector === undefined) {
    errors.push(fieldError.required('spec.selector'))
    return
  }
  const before = errors.length
  checkLabelSelector(selector, 'spec.selector', errors)
  if (isEmptySelector(selector)) errors.push(fieldError.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`))
  if (errors.length > before) return
  if (!compileLabelSelector(selector as LabelSelector)(labels ?? {}))
    errors.push(fieldError.invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
}
