import type { ClusterRoleBinding as ClusterRoleBindingObject } from '../../generated/types/rbac-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ClusterRoleBinding = ClusterRoleBindingObject
/** Handle of clusterrolebindings in rbac.authorization.k8s.io/v1. */
export const ClusterRoleBinding = kindOf<ClusterRoleBinding>('rbac.authorization.k8s.io/v1', 'clusterrolebindings')

export const clusterRoleBindingResource = workloadResource(ClusterRoleBinding)
