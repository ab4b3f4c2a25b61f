import type { Scorer } from '@continuo/workload'
import type { Normalize } from '../scores/built-in.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'

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
  const best = pickBest(totals, random)
  return { node: nodes[best] as NodeInfo, score: totals[best] as number }
}

/** Asks for one random number at most: a strong generator is too slow to be asked for each of many equals. */
function pickBest(totals: Float64Array, random: () => number): number {
  let most = Number.NEGATIVE_INFINITY
  let equals = 0
  for (const total of totals) {
    if (total > most) {
      most = total
      equals = 1
    } else if (total === most) equals++
  }
  let left = equals > 1 ? Math.floor(random() * equals) : 0
  return totals.findIndex((total) => total === most && left-- === 0)
}
