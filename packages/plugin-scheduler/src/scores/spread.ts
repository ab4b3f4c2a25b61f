import { controllerOf } from '@continuo/core'
import type { NodeSnapshot } from '@continuo/workload'
import type { BuiltInAttempt } from '../filters/built-in.ts'
import { domainCounts, domainOf, spreadConstraints } from '../filters/topology-spread.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { BuiltInScore, PreparedScorer } from './built-in.ts'

const zoneKey = 'topology.kubernetes.io/zone'
const zoneShare = 2 / 3

/**
 * Spreads pods: by the soft constraints that the pod states, otherwise by its owner,
 * whose other pods count against their node and, at double weight, against their zone.
 */
export const spread: BuiltInScore = {
  name: 'spread',
  weight: 2,
  prepare: (attempt, feasible) =>
    (attempt.pod.spec?.topologySpreadConstraints?.length ?? 0) > 0 ? bySoftConstraints(attempt, feasible) : byOwner(attempt, feasible),
}

function bySoftConstraints(attempt: BuiltInAttempt, feasible: readonly NodeInfo[]): readonly PreparedScorer[] {
  const constraints = spreadConstraints(attempt.pod, 'ScheduleAnyway')
  if (constraints.length === 0) return []
  const counted = constraints.map((constraint) => {
    const counts = domainCounts(attempt, constraint, constraints)
    return { ...constraint, counts, weight: Math.log(counts.size + 2) }
  })
  const raw = ({ node }: NodeSnapshot): number | undefined => {
    let sum = 0
    for (const { topologyKey, counts, weight, maxSkew } of counted) {
      const domain = domainOf(node, topologyKey)
      if (domain === undefined) return undefined
      sum += (counts.get(domain) ?? 0) * weight + (maxSkew - 1)
    }
    return Math.round(sum)
  }
  const known = feasible.map(raw).filter((score) => score !== undefined)
  const most = Math.max(...known)
  const least = Math.min(...known)
  return [{ scorer: (node) => scaled(raw(node), least, most) }]
}

const scaled = (score: number | undefined, least: number, most: number): number =>
  score === undefined ? 0 : most === 0 ? 100 : Math.trunc((100 * (most + least - score)) / most)

function byOwner(attempt: BuiltInAttempt, feasible: readonly NodeInfo[]): readonly PreparedScorer[] {
  const owner = controllerOf(attempt.pod)?.uid
  const counts = owner === undefined ? undefined : attempt.snapshot.ownedBy(owner)
  if (counts === undefined || counts.size === 0) return []
  const zones = new Map<string, number>()
  for (const [name, count] of counts) {
    const node = attempt.snapshot.node(name)
    const zone = node === undefined ? undefined : domainOf(node.node, zoneKey)
    if (zone !== undefined) zones.set(zone, (zones.get(zone) ?? 0) + count)
  }
  const zoned = feasible.some(({ node }) => domainOf(node, zoneKey) !== undefined)
  return [
    { normalize: 'reverse', weight: zoned ? 1 - zoneShare : 1, scorer: ({ name }) => counts.get(name) ?? 0 },
    ...(zoned
      ? [
          {
            normalize: 'reverse' as const,
            weight: zoneShare,
            scorer: ({ node }: NodeSnapshot) => zones.get(domainOf(node, zoneKey) ?? '') ?? 0,
          },
        ]
      : []),
  ]
}
