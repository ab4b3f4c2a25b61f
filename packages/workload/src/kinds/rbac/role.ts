import type { Role as RoleObject } from '../../generated/types/rbac-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Role = RoleObject
/** Handle of roles in rbac.authorization.k8s.io/v1. */
export const Role = kindOf<Role>('rbac.authorization.k8s.io/v1', 'roles')

export const roleResource = workloadResource(Role)
