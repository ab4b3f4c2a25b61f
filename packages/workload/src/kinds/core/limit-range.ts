import { fieldError } from '@continuo/core'
import { compareQuantities, isQuantity } from '@continuo/lib-quantity'
import type { LimitRange as LimitRangeObject } from '../../generated/types/core-v1.ts'
import { checkAmounts } from '../../rules/values.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type LimitRange = LimitRangeObject
/** Handle of limitranges in v1. */
export const LimitRange = kindOf<LimitRange>('v1', 'limitranges')

export const limitRangeResource = workloadResource(LimitRange, {
  shortNames: ['limits'],
  table: table<LimitRange>(
    nameColumn(),
    text('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>'),
  ),
  strategy: strategyOf<LimitRange>({
    default({ spec }) {
      for (const limit of spec?.limits ?? []) {
        if (limit.type !== 'Container') continue
        limit.default = { ...limit.max, ...limit.default }
        limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest }
      }
    },
    validate({ spec }, errors) {
      spec?.limits?.forEach((limit, index) => {
        const path = `spec.limits[${index}]`
        for (const field of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
          checkAmounts(limit[field], `${path}.${field}`, errors)
        for (const [name, min] of Object.entries(limit.min ?? {})) {
          const max = limit.max?.[name]
          if (max !== undefined && isQuantity(min) && isQuantity(max) && compareQuantities(min, max) > 0)
            errors.push(fieldError.invalid(`${path}.min[${name}]`, min, `min value ${min} is greater than max value ${max}`))
        }
      })
    },
  }),
})
