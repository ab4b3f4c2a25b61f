import type { ReplicationController as ReplicationControllerObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ReplicationController = ReplicationControllerObject
/** Handle of replicationcontrollers in v1. */
export const ReplicationController = kindOf<ReplicationController>('v1', 'replicationcontrollers')

export const replicationControllerResource = workloadResource(ReplicationController)
