import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'

/** Conditions of a status have a type each, and no two the same. */
export function checkConditionTypes(conditions: DeepReadonly<{ type?: string }[]> | undefined, errors: FieldError[]): void {
  const seen = new Set<string>()
  conditions?.forEach(({ type = '' }, index) => {
    const path = `status.conditions[${index}].type`
    if (seen.has(type)) errors.push(fieldError.duplicate(path, type))
    if (type === '') errors.push(fieldError.required(path, 'must not be empty'))
    seen.add(type)
  })
}
