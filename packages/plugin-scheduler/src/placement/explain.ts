import type { Rejection } from '@continuo/workload'

/** How many nodes gave each reason. */
export function reasonCounts(rejections: Iterable<Rejection>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { reason, also = [] } of rejections) for (const each of [reason, ...also]) counts.set(each, (counts.get(each) ?? 0) + 1)
  return counts
}

/**
 * Why nothing fits, in the words of Kubernetes' events and conditions:
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}.`
 */
export function explainMisfit(nodes: number, rejections: Iterable<Rejection>, refusal?: string): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const reasons = refusal === undefined ? [...reasonCounts(rejections)].map(([reason, count]) => `${count} ${reason}`).sort() : [refusal]
  return reasons.length === 0 ? `0/${nodes} nodes are available` : `0/${nodes} nodes are available: ${reasons.join(', ')}.`
}
