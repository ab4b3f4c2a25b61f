import type { Scorer } from '@continuo/workload'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { Normalize } from '../scores/built-in.ts'

/** A scorer with its final weight. */
export interface WeightedScorer {
  readonly name: string
  readonly scorer: Scorer
  readonly weight: number
  readonly normalize?: Normalize
}

export interface Ranked {
  readonly node: NodeInfo
  readonly score: number
}

function normalized(raw: Float64Array, how: Normalize | undefined): Float64Array {
  if (how === undefined) return raw
  let most = 0
  for (const score of raw) if (score > most) most = score
  if (most === 0) return how === 'reverse' ? raw.fill(100) : raw
  for (let i = 0; i < raw.length; i++) {
    const score = Math.trunc((100 * (raw[i] as number)) / most)
    raw[i] = how === 'reverse' ? 100 - score : score
  }
  return raw
}

/** The node with the highest weighted sum; `random` (0 to 1) decides among equals. `nodes` must not be empty. */
export function bestNode(nodes: readonly NodeInfo[], scorers: readonly WeightedScorer[], random: () => number): Ranked {
  const totals = new Float64Array(nodes.length)
  for (const { scorer, weight, normalize } of scorers) {
    const raw = new Float64Array(nodes.length)
    for (let i = 0; i < nodes.length; i++) raw[i] = scorer(nodes[i] as NodeInfo) || 0
    const scores = normalized(raw, normalize)
    for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] as number) + weight * (scores[i] as number)
  }
  let best = 0
  let equals = 1
  for (let i = 1; i < nodes.length; i++) {
    const difference = (totals[i] as number) - (totals[best] as number)
    if (difference > 0) {
      best = i
      equals = 1
    } else if (difference === 0 && random() < 1 / ++equals) best = i
  }
  return { node: nodes[best] as NodeInfo, score: totals[best] as number }
}
