import { canonicalJson, compileLabelSelector, type DeepReadonly } from '@continuo/core'
import type { ClusterRole, PolicyRule } from '@continuo/workload'

type RoleView = DeepReadonly<ClusterRole>

/** True for a role whose rules are gathered from others. */
export const isAggregated = ({ aggregationRule }: RoleView): boolean => (aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0

/** True when the rules of `part` belong into the aggregated role. A selector that cannot be read selects nothing. */
export function selects(aggregated: RoleView, part: RoleView): boolean {
  if (aggregated.metadata.name === part.metadata.name) return false
  return (aggregated.aggregationRule?.clusterRoleSelectors ?? []).some((selector) => {
    try {
      return compileLabelSelector(selector)(part.metadata.labels)
    } catch {
      return false
    }
  })
}

/** The rules of an aggregated role: those of the selected ones by their names, each rule once. Pure. */
export function aggregateRules(aggregated: RoleView, all: readonly RoleView[]): readonly DeepReadonly<PolicyRule>[] {
  const rules = new Map<string, DeepReadonly<PolicyRule>>()
  const parts = all.filter((role) => selects(aggregated, role)).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  for (const { rules: own } of parts)
    for (const rule of own ?? []) {
      const key = canonicalJson(rule)
      if (!rules.has(key)) rules.set(key, rule)
    }
  return [...rules.values()]
}
