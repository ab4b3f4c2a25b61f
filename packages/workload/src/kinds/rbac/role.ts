import { pathSegmentFaults } from '@continuo/core'
import type { Role as RoleObject } from '../../generated/types/rbac-v1.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkPolicyRules } from './rules.ts'

export type Role = RoleObject
/** Handle of roles in rbac.authorization.k8s.io/v1. */
export const Role = kindOf<Role>('rbac.authorization.k8s.io/v1', 'roles')

export const roleResource = workloadResource(Role, {
  table: table<Role>(
    nameColumn(),
    text('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>'),
  ),
  strategy: strategyOf<Role>({
    validateName: pathSegmentFaults,
    validate: ({ rules }, errors) => checkPolicyRules(rules, true, errors),
  }),
})
