import type { LimitRange as LimitRangeObject } from '../../generated/types/core-v1.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkLimits } from './check-limits.ts'

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
      checkLimits(spec?.limits ?? [], errors)
    },
  }),
})
