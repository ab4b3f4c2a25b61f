import type { Scorer } from '@continuo/workload'
import type { BuiltInAttempt } from '../filters/built-in.ts'
import type { NodeInfo } from '../snapshot/node-info.ts'

/** How raw scores become 0 to 100: as they are, by the largest, or by the largest with less being better. */
export type Normalize = 'max' | 'reverse'

/** One scorer with the share that its rule gives it. */
export interface PreparedScorer {
  readonly scorer: Scorer
  readonly weight?: number
  readonly normalize?: Normalize
}

/** A scoring rule of the scheduler's own. `prepare` runs once for an attempt; an empty list means that it has no say. */
export interface BuiltInScore {
  /** The key under `scores` in the configuration. */
  readonly name: string
  /** Weight when the configuration names none. */
  readonly weight: number
  /** `feasible` are the nodes that will be scored. */
  prepare(attempt: BuiltInAttempt, feasible: readonly NodeInfo[]): readonly PreparedScorer[]
}
