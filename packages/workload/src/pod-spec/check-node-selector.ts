import { type DeepReadonly, type FieldError, fieldError, labelKeyFaults } from '@continuo/core'
import type { NodeSelector, NodeSelectorTerm } from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkName, isDnsSubdomain } from '../rules/names.ts'

/** Which nodes something may be on: one of several terms. */
export function checkNodeSelector(selector: DeepReadonly<NodeSelector>, path: string, errors: FieldError[]): void {
  const at = `${path}.nodeSelectorTerms`
  if ((selector.nodeSelectorTerms ?? []).length === 0) errors.push(fieldError.required(at, 'must have at least one node selector term'))
  each(selector.nodeSelectorTerms, at, (term, place) => checkNodeTerm(term, place, errors))
}

/** One term: requirements on the labels and on the name of a node. */
export function checkNodeTerm(term: DeepReadonly<NodeSelectorTerm>, path: string, errors: FieldError[]): void {
  term.matchExpressions?.forEach(({ key, operator, values }, index) => {
    const at = `${path}.matchExpressions[${index}]`
    const count = values?.length ?? 0
    if ((operator === 'In' || operator === 'NotIn') && count === 0)
      errors.push(fieldError.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0)
      errors.push(fieldError.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    if ((operator === 'Gt' || operator === 'Lt') && count !== 1)
      errors.push(fieldError.required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'].includes(operator))
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    for (const fault of labelKeyFaults(key)) errors.push(fieldError.invalid(`${at}.key`, key, fault))
  })
  each(term.matchFields, `${path}.matchFields`, ({ key, operator, values }, at) => {
    if (operator !== 'In' && operator !== 'NotIn')
      errors.push(fieldError.invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    else if (values?.length !== 1)
      errors.push(fieldError.required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
    if (key !== 'metadata.name') errors.push(fieldError.invalid(`${at}.key`, key, 'not a valid field selector key'))
    else each(values, `${at}.values`, (value, place) => checkName(isDnsSubdomain, value, place, errors))
  })
}
