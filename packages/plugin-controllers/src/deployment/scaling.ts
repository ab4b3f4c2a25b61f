import { annotations, numberAnnotation } from './revision.ts'
import type { Resize } from './rolling-update.ts'
import {
  activeSets,
  byAge,
  compare,
  type DeploymentView,
  fenceposts,
  isRolling,
  type ReplicaSetView,
  totalReplicas,
  wantedReplicas,
} from './views.ts'

/** True when the deployment was scaled since its sets were last sized: some active set notes another wish. */
export const isScalingEvent = (deployment: DeploymentView, sets: readonly ReplicaSetView[]): boolean =>
  activeSets(sets).some((set) => {
    const noted = numberAnnotation(set, annotations.desired)
    return noted !== undefined && noted !== wantedReplicas(deployment)
  })

/** Sizes after a change of `spec.replicas` or while paused: a single set follows, several share the change in proportion. */
export function scaleSets(
  deployment: DeploymentView,
  current: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
): readonly Resize[] {
  const wanted = wantedReplicas(deployment)
  const single = activeOrLatest(current, old)
  if (single !== undefined) return [{ set: single, replicas: wanted }]
  if (isSaturated(deployment, current)) return activeSets(old).map((set) => ({ set, replicas: 0 }))
  return isRolling(deployment) ? proportionally(deployment, activeSets(current === undefined ? old : [...old, current])) : []
}

/** The only set that wants pods; when none does, the current one or the latest old one. */
function activeOrLatest(current: ReplicaSetView | undefined, old: readonly ReplicaSetView[]): ReplicaSetView | undefined {
  const active = activeSets(current === undefined ? old : [...old, current])
  if (active.length === 0) return current ?? [...old].sort(byAge).at(-1)
  return active.length === 1 ? active[0] : undefined
}

const isSaturated = (deployment: DeploymentView, set: ReplicaSetView | undefined): boolean => {
  const wanted = wantedReplicas(deployment)
  return (
    set !== undefined &&
    wantedReplicas(set) === wanted &&
    numberAnnotation(set, annotations.desired) === wanted &&
    (set.status?.availableReplicas ?? 0) === wanted
  )
}

function proportionally(deployment: DeploymentView, active: readonly ReplicaSetView[]): readonly Resize[] {
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + fenceposts(deployment).maxSurge : 0
  const change = allowed - totalReplicas(active)
  const sorted = [...active].sort(
    (a, b) =>
      wantedReplicas(b) - wantedReplicas(a) || (change > 0 ? byAge(b, a) : byAge(a, b)) || compare(a.metadata.name, b.metadata.name),
  )
  let given = 0
  const sizes = sorted.map((set) => {
    const share = change === 0 ? 0 : portion(deployment, set, change, given)
    given += share
    return wantedReplicas(set) + share
  })
  if (change !== 0 && sizes[0] !== undefined) sizes[0] = Math.max(0, sizes[0] + change - given)
  return sorted.map((set, index) => ({ set, replicas: sizes[index] as number }))
}

function portion(deployment: DeploymentView, set: ReplicaSetView, change: number, given: number): number {
  if (wantedReplicas(set) === 0 || change === given) return 0
  const share = fraction(deployment, set)
  return change > 0 ? Math.min(share, change - given) : Math.max(share, change - given)
}

/** By how much the set grows or shrinks when its share of the former maximum is kept. */
function fraction(deployment: DeploymentView, set: ReplicaSetView): number {
  const wanted = wantedReplicas(deployment)
  const has = wantedReplicas(set)
  if (wanted === 0) return -has
  const formerMaximum = numberAnnotation(set, annotations.maximum) ?? deployment.status?.replicas ?? 0
  if (formerMaximum === 0) return 0
  return Math.round((has * (wanted + fenceposts(deployment).maxSurge)) / formerMaximum) - has
}
