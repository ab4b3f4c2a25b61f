import { fieldError, jsonEqual, pathSegmentFaults } from '@continuo/core'
import type { RoleBinding as RoleBindingObject } from '../../generated/types/rbac-v1.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkBinding, defaultBinding, subjectNames } from './rules.ts'

export type RoleBinding = RoleBindingObject
/** Handle of rolebindings in rbac.authorization.k8s.io/v1. */
export const RoleBinding = kindOf<RoleBinding>('rbac.authorization.k8s.io/v1', 'rolebindings')

export const roleBindingResource = workloadResource(RoleBinding, {
  table: table<RoleBinding>(
    nameColumn(),
    text('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn(),
    wide('Users', ({ subjects }) => subjectNames(subjects, 'User')),
    wide('Groups', ({ subjects }) => subjectNames(subjects, 'Group')),
    wide('ServiceAccounts', ({ subjects }) => subjectNames(subjects, 'ServiceAccount')),
  ),
  strategy: strategyOf<RoleBinding>({
    validateName: pathSegmentFaults,
    default: defaultBinding,
    validate: (binding, errors) => checkBinding(binding, ['Role', 'ClusterRole'], true, errors),
    validateUpdate(next, old, errors) {
      if (!jsonEqual(next.roleRef, old.roleRef)) errors.push(fieldError.invalid('roleRef', next.roleRef, 'cannot change roleRef'))
    },
  }),
})
