import type { DeepReadonly } from '@continuo/core'
import { scaledValue } from '@continuo/lib-quantity'
import type { Deployment, ReplicaSet } from '@continuo/workload'

export type DeploymentView = DeepReadonly<Deployment>
export type ReplicaSetView = DeepReadonly<ReplicaSet>

export const wantedReplicas = (object: DeploymentView | ReplicaSetView): number => object.spec?.replicas ?? 1

export const isRolling = (deployment: DeploymentView): boolean => (deployment.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate'

/** By how many pods a rollout may exceed and fall short of the wish. */
export interface Fenceposts {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

/**
 * `maxSurge` rounds up, `maxUnavailable` down; when both come to nothing, one pod may be missing,
 * or the rollout could not move. Recreate knows neither.
 */
export function fenceposts(deployment: DeploymentView): Fenceposts {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 }
  const replicas = wantedReplicas(deployment)
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const surge = scaledValue(maxSurge as number | string, replicas, 'up')
  const unavailable = scaledValue(maxUnavailable as number | string, replicas, 'down')
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: Math.min(1, replicas) }
  return { maxSurge: surge, maxUnavailable: Math.min(unavailable, replicas) }
}

export const totalReplicas = (sets: readonly ReplicaSetView[]): number => sets.reduce((sum, set) => sum + wantedReplicas(set), 0)

export const totalOf = (
  sets: readonly ReplicaSetView[],
  field: 'replicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas',
): number => sets.reduce((sum, set) => sum + (set.status?.[field] ?? 0), 0)

/** Oldest first; of the same second, by name. */
export const byAge = (a: ReplicaSetView, b: ReplicaSetView): number =>
  compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') || compare(a.metadata.name, b.metadata.name)

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Sets that want pods. */
export const activeSets = (sets: readonly ReplicaSetView[]): readonly ReplicaSetView[] => sets.filter((set) => wantedReplicas(set) > 0)
