import type { FilterPredicate, SchedulingAttempt } from '@continuo/workload'
import type { CacheSnapshot } from '../snapshot/cluster-cache.ts'

/** An attempt over the scheduler's own snapshot. */
export interface BuiltInAttempt extends SchedulingAttempt {
  readonly snapshot: CacheSnapshot
}

/**
 * A rule of the scheduler's own. `prepare` runs once for an attempt and returns the predicate,
 * or undefined when the rule has no say about this pod. The name is the one by which Kubernetes calls the rule.
 */
export interface BuiltInFilter {
  readonly name: string
  prepare(attempt: BuiltInAttempt): FilterPredicate | undefined
}
