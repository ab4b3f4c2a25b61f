import type { ClusterRole as ClusterRoleObject } from '../../generated/types/rbac-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ClusterRole = ClusterRoleObject
/** Handle of clusterroles in rbac.authorization.k8s.io/v1. */
export const ClusterRole = kindOf<ClusterRole>('rbac.authorization.k8s.io/v1', 'clusterroles')

export const clusterRoleResource = workloadResource(ClusterRole)
