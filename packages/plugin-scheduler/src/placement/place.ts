import type { BuiltInAttempt, BuiltInFilter } from '../filters/built-in.ts'
import type { BuiltInScore } from '../scores/built-in.ts'
import { enoughNodes, type Feasibility, findFeasible, type NamedFilter } from './feasible.ts'
import { bestNode, type Ranked, type WeightedScorer } from './rank.ts'

/** The predicates of the scheduler's own filters that have a say about the pod. */
export function prepareFilters(attempt: BuiltInAttempt, filters: readonly BuiltInFilter[]): NamedFilter[] {
  const prepared: NamedFilter[] = []
  for (const { name, prepare } of filters) {
    const predicate = prepare(attempt)
    if (predicate !== undefined) prepared.push({ name, predicate })
  }
  return prepared
}

/** The scorers of the scheduler's own scoring rules, weighted by the configuration; weight 0 turns a rule off. */
export function prepareScorers(
  attempt: BuiltInAttempt,
  scores: readonly BuiltInScore[],
  feasible: Feasibility['feasible'],
  weights: Readonly<Record<string, number>>,
): WeightedScorer[] {
  const prepared: WeightedScorer[] = []
  for (const { name, weight: usual, prepare } of scores) {
    const weight = weights[name] ?? usual
    if (weight === 0) continue
    for (const { scorer, weight: share = 1, normalize } of prepare(attempt, feasible))
      prepared.push({ name, scorer, weight: weight * share, ...(normalize && { normalize }) })
  }
  return prepared
}

/** Where the search for nodes goes on, so that all nodes have their turn. */
export interface SearchPosition {
  start: number
}

export function searchNodes(
  attempt: BuiltInAttempt,
  filters: readonly NamedFilter[],
  position: SearchPosition,
  percentage: number | undefined,
): Feasibility {
  const { nodes } = attempt.snapshot
  const found = findFeasible(nodes, filters, position.start, enoughNodes(nodes.length, percentage))
  position.start = nodes.length === 0 ? 0 : (position.start + found.examined) % nodes.length
  return found
}

/** One whole synchronous decision with the scheduler's own rules alone; undefined when nothing fits. */
export function place(
  attempt: BuiltInAttempt,
  rules: {
    readonly filters: readonly BuiltInFilter[]
    readonly scores: readonly BuiltInScore[]
    readonly weights?: Readonly<Record<string, number>>
  },
  position: SearchPosition,
  random: () => number,
): Ranked | undefined {
  const { feasible } = searchNodes(attempt, prepareFilters(attempt, rules.filters), position, undefined)
  if (feasible.length <= 1) return feasible[0] && { node: feasible[0], score: 0 }
  return bestNode(feasible, prepareScorers(attempt, rules.scores, feasible, rules.weights ?? {}), random)
}
