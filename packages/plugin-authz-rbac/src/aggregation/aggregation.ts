import { type ControllerSpec, type DeepReadonly, hasReason, type Informer, jsonEqual, watches } from '@continuo/core'
import { ClusterRole } from '@continuo/workload'
import { aggregateRules, isAggregated, selects } from './aggregate-rules.ts'

/** Index of the aggregated roles of an informer. */
export const aggregatedIndex = { aggregated: (role: DeepReadonly<ClusterRole>) => (isAggregated(role) ? ['yes'] : []) }

/** Keeps the rules of aggregated roles equal to those of the roles that their selectors choose. */
export const aggregation = (roles: Informer<ClusterRole>): ControllerSpec<ClusterRole> => ({
  name: 'clusterrole-aggregation',
  for: ClusterRole,
  // Called with a role as it was and as it is: one that leaves a selector counts as one that enters it.
  watches: [
    watches(ClusterRole, (part) =>
      roles.lister
        .byIndex('aggregated', 'yes')
        .filter((role) => selects(role, part))
        .map(({ metadata }) => ({ namespace: '', name: metadata.name })),
    ),
  ],
  async reconcile(key, { client }) {
    const role = roles.lister.get(key)
    if (role === undefined || !isAggregated(role) || role.metadata.deletionTimestamp !== undefined) return
    const rules = aggregateRules(role, roles.lister.list())
    if (jsonEqual(rules, role.rules ?? [])) return
    const { resourceVersion } = role.metadata
    try {
      await client.for(ClusterRole).patch(key, { type: 'merge', body: { metadata: { resourceVersion }, rules } })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  },
})
