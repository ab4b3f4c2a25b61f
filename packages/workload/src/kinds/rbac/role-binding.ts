import type { RoleBinding as RoleBindingObject } from '../../generated/types/rbac-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type RoleBinding = RoleBindingObject
/** Handle of rolebindings in rbac.authorization.k8s.io/v1. */
export const RoleBinding = kindOf<RoleBinding>('rbac.authorization.k8s.io/v1', 'rolebindings')

export const roleBindingResource = workloadResource(RoleBinding)
