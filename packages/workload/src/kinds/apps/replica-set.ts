import type { ReplicaSet as ReplicaSetObject } from '../../generated/types/apps-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ReplicaSet = ReplicaSetObject
/** Handle of replicasets in apps/v1. */
export const ReplicaSet = kindOf<ReplicaSet>('apps/v1', 'replicasets')

export const replicaSetResource = workloadResource(ReplicaSet)
