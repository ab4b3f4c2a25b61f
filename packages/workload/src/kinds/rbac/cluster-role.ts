import { pathSegmentFaults } from '@continuo/core'
import type { ClusterRole as ClusterRoleObject } from '../../generated/types/rbac-v1.ts'
import { each } from '../../rules/each.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkPolicyRules } from './rules.ts'

export type ClusterRole = ClusterRoleObject
/** Handle of clusterroles in rbac.authorization.k8s.io/v1. */
export const ClusterRole = kindOf<ClusterRole>('rbac.authorization.k8s.io/v1', 'clusterroles')

export const clusterRoleResource = workloadResource(ClusterRole, {
  table: table<ClusterRole>(
    nameColumn(),
    text('Created At', ({ metadata }) => metadata.creationTimestamp ?? '<unknown>'),
  ),
  strategy: strategyOf<ClusterRole>({
    validateName: pathSegmentFaults,
    validate({ rules, aggregationRule }, errors) {
      checkPolicyRules(rules, false, errors)
      each(aggregationRule?.clusterRoleSelectors, 'aggregationRule.clusterRoleSelectors', (selector, at) =>
        checkLabelSelector(selector, at, errors),
      )
    },
  }),
})
