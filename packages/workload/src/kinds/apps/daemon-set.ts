import type { DaemonSet as DaemonSetObject } from '../../generated/types/apps-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type DaemonSet = DaemonSetObject
/** Handle of daemonsets in apps/v1. */
export const DaemonSet = kindOf<DaemonSet>('apps/v1', 'daemonsets')

export const daemonSetResource = workloadResource(DaemonSet)
