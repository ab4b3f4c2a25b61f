import type { StatefulSet as StatefulSetObject } from '../../generated/types/apps-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type StatefulSet = StatefulSetObject
/** Handle of statefulsets in apps/v1. */
export const StatefulSet = kindOf<StatefulSet>('apps/v1', 'statefulsets')

export const statefulSetResource = workloadResource(StatefulSet)
