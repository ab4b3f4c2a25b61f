import type { LimitRange as LimitRangeObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type LimitRange = LimitRangeObject
/** Handle of limitranges in v1. */
export const LimitRange = kindOf<LimitRange>('v1', 'limitranges')

export const limitRangeResource = workloadResource(LimitRange)
