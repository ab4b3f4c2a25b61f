import type { FilterPredicate, Rejection } from '@continuo/workload'
import type { NodeInfo } from '../snapshot/node-info.ts'

/** A predicate with the name of the rule that it came from. */
export interface NamedFilter {
  readonly name: string
  readonly predicate: FilterPredicate
}

export interface Rejected extends Rejection {
  /** The rule that rejected the node. */
  readonly by: string
}

export interface Feasibility {
  readonly feasible: readonly NodeInfo[]
  readonly rejected: ReadonlyMap<string, Rejected>
  /** Nodes that were looked at; the next attempt begins behind them. */
  readonly examined: number
}

const fewest = 100
const smallestPercentage = 5

/**
 * How many feasible nodes are enough: all of up to 100, and of more a share that falls from 50 % to 5 % as the cluster grows,
 * unless the configuration sets the percentage.
 */
export function enoughNodes(count: number, percentage: number | undefined): number {
  if (count < fewest || (percentage ?? 0) >= 100) return count
  const share = percentage ?? Math.max(smallestPercentage, Math.trunc(50 - count / 125))
  return Math.max(fewest, Math.trunc((count * share) / 100))
}

/** Looks for nodes that pass every filter, round the list from `start`, until there are enough. The first filter that rejects a node explains it. */
export function findFeasible(nodes: readonly NodeInfo[], filters: readonly NamedFilter[], start: number, enough: number): Feasibility {
  const feasible: NodeInfo[] = []
  const rejected = new Map<string, Rejected>()
  let examined = 0
  while (examined < nodes.length && feasible.length < enough) {
    const node = nodes[(start + examined) % nodes.length] as NodeInfo
    examined++
    const rejection = firstRejection(node, filters)
    if (rejection === undefined) feasible.push(node)
    else rejected.set(node.name, rejection)
  }
  return { feasible, rejected, examined }
}

function firstRejection(node: NodeInfo, filters: readonly NamedFilter[]): Rejected | undefined {
  for (const { name, predicate } of filters) {
    const rejection = predicate(node)
    if (rejection !== undefined) return { ...rejection, by: name }
  }
  return undefined
}
