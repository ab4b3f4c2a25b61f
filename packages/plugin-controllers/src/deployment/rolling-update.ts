import { byAge, type DeploymentView, fenceposts, isRolling, type ReplicaSetView, totalOf, totalReplicas, wantedReplicas } from './views.ts'

/** A set's new number of replicas. */
export interface Resize {
  readonly set: ReplicaSetView
  readonly replicas: number
}

/** How many replicas the set of the present template should have now: as many as the surge limit leaves room for. */
export function newSetReplicas(deployment: DeploymentView, all: readonly ReplicaSetView[], current: number): number {
  const wanted = wantedReplicas(deployment)
  if (!isRolling(deployment)) return wanted
  const room = wanted + fenceposts(deployment).maxSurge - totalReplicas(all)
  return room <= 0 ? current : current + Math.min(room, wanted - current)
}

/** The first half of a rolling step: grow the new set as far as the surge limit allows, or shrink it to the wish. */
export function resizeNew(deployment: DeploymentView, current: ReplicaSetView, all: readonly ReplicaSetView[]): Resize | undefined {
  const wanted = wantedReplicas(deployment)
  const has = wantedReplicas(current)
  const replicas = has > wanted ? wanted : newSetReplicas(deployment, all, has)
  return replicas === has ? undefined : { set: current, replicas }
}

/**
 * The second half: shrink old sets. First their unhealthy pods, whose loss costs no availability, then healthy ones,
 * oldest set first, as long as enough pods of all sets remain available. New pods that are not available yet are held against both.
 */
export function shrinkOld(
  deployment: DeploymentView,
  current: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
): readonly Resize[] {
  if (totalReplicas(old) === 0) return []
  const all = current === undefined ? old : [...old, current]
  const leastAvailable = wantedReplicas(deployment) - fenceposts(deployment).maxUnavailable
  const newUnavailable = current === undefined ? 0 : wantedReplicas(current) - (current.status?.availableReplicas ?? 0)
  const budget = totalReplicas(all) - leastAvailable - newUnavailable
  if (budget <= 0) return []
  const sizes = new Map([...old].sort(byAge).map((set) => [set, wantedReplicas(set)]))
  dropUnhealthy(sizes, budget)
  dropHealthy(sizes, totalOf(all, 'availableReplicas') - leastAvailable)
  return [...sizes].filter(([set, replicas]) => replicas !== wantedReplicas(set)).map(([set, replicas]) => ({ set, replicas }))
}

function dropUnhealthy(sizes: Map<ReplicaSetView, number>, budget: number): void {
  let left = budget
  for (const [set, size] of sizes) {
    const unhealthy = Math.max(0, size - (set.status?.availableReplicas ?? 0))
    const count = Math.min(left, unhealthy)
    sizes.set(set, size - count)
    left -= count
  }
}

function dropHealthy(sizes: Map<ReplicaSetView, number>, budget: number): void {
  let left = Math.max(0, budget)
  for (const [set, size] of sizes) {
    const count = Math.min(left, size)
    sizes.set(set, size - count)
    left -= count
  }
}
