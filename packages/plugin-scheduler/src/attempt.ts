import type { DeepReadonly, Hook } from '@continuo/core'
import { type FilterAttempt, type Pod, SchedulerFilter, SchedulerScore, type ScoreAttempt } from '@continuo/workload'
import type { BuiltInAttempt } from './filters/built-in.ts'
import { builtInFilters } from './filters/index.ts'
import { explainMisfit } from './placement/explain.ts'
import type { Feasibility, NamedFilter, Rejected } from './placement/feasible.ts'
import { prepareFilters, prepareScorers, type SearchPosition, searchNodes } from './placement/place.ts'
import { bestNode, type WeightedScorer } from './placement/rank.ts'
import { builtInScores } from './scores/index.ts'
import { podRequests } from './snapshot/amounts.ts'
import type { CacheSnapshot } from './snapshot/cluster-cache.ts'

/** How one attempt ended. */
export type Outcome =
  | { readonly type: 'placed'; readonly nodeName: string; readonly score: number; readonly attempt: BuiltInAttempt }
  | {
      readonly type: 'unschedulable'
      readonly message: string
      readonly rejected: ReadonlyMap<string, Rejected>
      /** Rules and plugins whose change of mind would help. */
      readonly rejectedBy: ReadonlySet<string>
      readonly attempt: BuiltInAttempt
    }

interface FilterRun extends FilterAttempt {
  readonly snapshot: CacheSnapshot
}

interface ScoreRun extends ScoreAttempt {
  readonly snapshot: CacheSnapshot
  readonly feasible: Feasibility['feasible']
  readonly weights: Readonly<Record<string, number>>
  readonly scorers: WeightedScorer[]
}

/** The scheduler's own rules as taps of its hooks; `tap` is the plugin context's. */
export function tapBuiltIns(tap: <T extends object>(hook: Hook<T>, tap: (argument: T) => void) => void): void {
  tap(SchedulerFilter, (run) => {
    for (const { name, predicate } of prepareFilters(run as FilterRun, builtInFilters)) run.filter(name, predicate)
  })
  tap(SchedulerScore, (run) => {
    const { feasible, weights, scorers } = run as ScoreRun
    scorers.push(...prepareScorers(run as ScoreRun, builtInScores, feasible, weights))
  })
}

export interface AttemptRequest {
  readonly pod: DeepReadonly<Pod>
  readonly snapshot: CacheSnapshot
  readonly weights: Readonly<Record<string, number>>
  readonly position: SearchPosition
  readonly percentage: number | undefined
  readonly random: () => number
  readonly call: <T extends object>(hook: Hook<T>, argument: T) => Promise<T>
}

/** Filters and scores: asks each tap once, then decides synchronously over one snapshot. */
export async function attemptPlacement(request: AttemptRequest): Promise<Outcome> {
  const { pod, snapshot } = request
  const attempt: BuiltInAttempt = { pod, snapshot, requests: podRequests(pod) }
  const filters: NamedFilter[] = []
  const refusals: { readonly by: string; readonly reason: string }[] = []
  const run: FilterRun = {
    ...attempt,
    filter: (name, predicate) => void filters.push({ name, predicate }),
    reject: (by, reason) => void refusals.push({ by, reason }),
  }
  await request.call(SchedulerFilter, run as FilterAttempt)
  const [refusal] = refusals
  if (refusal !== undefined) return unschedulable(attempt, new Map(), new Set([refusal.by]), refusal.reason)
  const { feasible, rejected } = searchNodes(attempt, filters, request.position, request.percentage)
  const [only, another] = feasible
  if (only === undefined) return unschedulable(attempt, rejected, new Set([...rejected.values()].map(({ by }) => by)))
  if (another === undefined) return { type: 'placed', nodeName: only.name, score: 0, attempt }
  const best = bestNode(feasible, await scorersFor(request, attempt, feasible), request.random)
  return { type: 'placed', nodeName: best.node.name, score: best.score, attempt }
}

function unschedulable(
  attempt: BuiltInAttempt,
  rejected: ReadonlyMap<string, Rejected>,
  rejectedBy: ReadonlySet<string>,
  refusal?: string,
): Outcome {
  const message = explainMisfit(attempt.snapshot.nodes.length, rejected.values(), refusal)
  // Without a node nobody rejected the pod, and any node that comes is worth a try.
  return { type: 'unschedulable', message, rejected, rejectedBy, attempt }
}

async function scorersFor(
  { weights, call }: AttemptRequest,
  attempt: BuiltInAttempt,
  feasible: Feasibility['feasible'],
): Promise<readonly WeightedScorer[]> {
  const scorers: WeightedScorer[] = []
  const run: ScoreRun = {
    ...attempt,
    feasible,
    weights,
    scorers,
    score: (name, scorer, options = {}) => {
      const weight = (weights[name] ?? 1) * (options.weight ?? 1)
      if (weight > 0) scorers.push({ name, scorer, weight, ...(options.normalize && { normalize: options.normalize }) })
    },
  }
  await call(SchedulerScore, run as ScoreAttempt)
  return scorers
}
