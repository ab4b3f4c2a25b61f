import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { compareQuantities, isQuantity, quantityToNumber } from '@continuo/lib-quantity'
import type { LimitRangeItem } from '../../generated/types/core-v1.ts'
import { checkAmounts } from '../../rules/values.ts'

/** From the least to the most: each of these may not be above those behind it. */
const ordered = [
  ['min', 'max'],
  ['min', 'defaultRequest'],
  ['min', 'default'],
  ['defaultRequest', 'max'],
  ['defaultRequest', 'default'],
  ['default', 'max'],
] as const

/** What each of these is called in an error, and at which field it stands. */
const words = {
  min: 'min value',
  max: 'max value',
  default: 'default value',
  defaultRequest: 'default request value',
} as const

/** The limits of a range (`pkg/apis/core/validation`, ValidateLimitRange): one for each type, and in themselves consistent. */
export function checkLimits(limits: DeepReadonly<LimitRangeItem[]>, errors: FieldError[]): void {
  const types = new Set<string>()
  limits.forEach((limit, index) => {
    const path = `spec.limits[${index}]`
    if (types.has(limit.type)) errors.push(fieldError.duplicate(`${path}.type`, limit.type))
    types.add(limit.type)
    for (const field of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
      checkAmounts(limit[field], `${path}.${field}`, errors)
    if (limit.type === 'Pod') {
      for (const field of ['default', 'defaultRequest'] as const)
        if (Object.keys(limit[field] ?? {}).length > 0)
          errors.push(fieldError.forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"))
    } else if (limit.type === 'PersistentVolumeClaim' && limit.min?.storage === undefined && limit.max?.storage === undefined)
      errors.push(fieldError.required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'))
    checkOrder(limit, path, errors)
    checkRatios(limit, path, errors)
  })
}

function checkOrder(limit: DeepReadonly<LimitRangeItem>, path: string, errors: FieldError[]): void {
  for (const [lower, upper] of ordered)
    for (const [name, low] of Object.entries(limit[lower] ?? {})) {
      const high = limit[upper]?.[name]
      if (high === undefined || !isQuantity(low) || !isQuantity(high) || compareQuantities(low, high) <= 0) continue
      errors.push(fieldError.invalid(`${path}.${lower}[${name}]`, low, `${words[lower]} ${low} is greater than ${words[upper]} ${high}`))
    }
}

function checkRatios({ min, max, maxLimitRequestRatio }: DeepReadonly<LimitRangeItem>, path: string, errors: FieldError[]): void {
  for (const [name, ratio] of Object.entries(maxLimitRequestRatio ?? {})) {
    const at = `${path}.maxLimitRequestRatio[${name}]`
    if (!isQuantity(ratio)) continue
    const value = quantityToNumber(ratio)
    if (value < 1) errors.push(fieldError.invalid(at, ratio, `ratio ${ratio} is less than 1`))
    const [low, high] = [min?.[name], max?.[name]]
    if (low === undefined || high === undefined || !isQuantity(low) || !isQuantity(high)) continue
    const limit = quantityToNumber(high) / quantityToNumber(low)
    if (value > limit) errors.push(fieldError.invalid(at, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`))
  }
}
