import { compileLabelSelector, type DeepReadonly, type LabelPredicate } from '@continuo/core'
import type { Node, Pod, TopologySpreadConstraint } from '@continuo/workload'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { BuiltInAttempt, BuiltInFilter } from './built-in.ts'
import { type NodePredicate, requiredNodes } from './node-affinity.ts'
import { untolerated } from './tolerations.ts'

/** A constraint, ready to be counted. */
export interface SpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selects: LabelPredicate
  readonly counts: (node: NodeInfo) => boolean
}

/** The pod's constraints with this answer to failure, selectors compiled and the node policies bound (KEP-895, KEP-3094, KEP-3243). */
export function spreadConstraints(pod: DeepReadonly<Pod>, action: 'DoNotSchedule' | 'ScheduleAnyway'): readonly SpreadConstraint[] {
  const constraints = (pod.spec?.topologySpreadConstraints ?? []).filter((each) => each.whenUnsatisfiable === action)
  if (constraints.length === 0) return []
  const required = requiredNodes(pod)
  return constraints.map((constraint) => ({
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selects: selectorOf(constraint, pod),
    counts: countingNodes(constraint, pod, required),
  }))
}

function selectorOf(constraint: DeepReadonly<TopologySpreadConstraint>, pod: DeepReadonly<Pod>): LabelPredicate {
  const keys = (constraint.matchLabelKeys ?? []).filter((key) => pod.metadata.labels?.[key] !== undefined)
  if (constraint.labelSelector === undefined) return () => false
  return compileLabelSelector({
    ...constraint.labelSelector,
    matchExpressions: [
      ...(constraint.labelSelector.matchExpressions ?? []),
      ...keys.map((key) => ({ key, operator: 'In' as const, values: [pod.metadata.labels?.[key] as string] })),
    ],
  })
}

function countingNodes(
  constraint: DeepReadonly<TopologySpreadConstraint>,
  pod: DeepReadonly<Pod>,
  required: NodePredicate | undefined,
): (node: NodeInfo) => boolean {
  const affinity = constraint.nodeAffinityPolicy === 'Ignore' ? undefined : required
  const taints = constraint.nodeTaintsPolicy === 'Honor'
  return ({ node }) =>
    (affinity === undefined || affinity(node)) &&
    !(taints && untolerated(node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute']) !== undefined)
}

export const domainOf = (node: DeepReadonly<Node>, topologyKey: string): string | undefined => node.metadata.labels?.[topologyKey]

/** Pods of the namespace on the node that the selector picks; those that are going do not count. */
export function matchingPods(node: NodeInfo, namespace: string | undefined, selects: LabelPredicate): number {
  let count = 0
  for (const { metadata } of node.pods) {
    if (metadata.deletionTimestamp === undefined && metadata.namespace === namespace && selects(metadata.labels)) count++
  }
  return count
}

/** Matching pods in each domain, over nodes that have all the topology keys and count for the constraint. */
export function domainCounts(attempt: BuiltInAttempt, constraint: SpreadConstraint, all: readonly SpreadConstraint[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of attempt.snapshot.nodes) {
    if (!all.every(({ topologyKey }) => domainOf(node.node, topologyKey) !== undefined) || !constraint.counts(node)) continue
    const domain = domainOf(node.node, constraint.topologyKey) as string
    counts.set(domain, (counts.get(domain) ?? 0) + matchingPods(node, attempt.pod.metadata.namespace, constraint.selects))
  }
  return counts
}

const reason = "node(s) didn't match pod topology spread constraints"

/** Hard topology spread constraints: the pod may not raise a domain's skew above `maxSkew`. */
export const topologySpread: BuiltInFilter = {
  name: 'PodTopologySpread',
  prepare: (attempt) => {
    const constraints = spreadConstraints(attempt.pod, 'DoNotSchedule')
    if (constraints.length === 0) return undefined
    const prepared = constraints.map((constraint) => {
      const counts = domainCounts(attempt, constraint, constraints)
      const least = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values())
      return {
        ...constraint,
        counts,
        least: Number.isFinite(least) ? least : 0,
        self: constraint.selects(attempt.pod.metadata.labels) ? 1 : 0,
      }
    })
    return ({ node }) => {
      for (const { topologyKey, maxSkew, counts, least, self } of prepared) {
        const domain = domainOf(node, topologyKey)
        if (domain === undefined) return { reason: `${reason} (missing required label)`, retriable: false }
        if ((counts.get(domain) ?? 0) + self - least > maxSkew) return { reason }
      }
      return undefined
    }
  },
}
