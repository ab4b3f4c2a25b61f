import { formatTime } from '@continuo/core'
import type { DeploymentCondition, DeploymentStatus } from '@continuo/workload'
import { type DeploymentView, fenceposts, type ReplicaSetView, totalOf, wantedReplicas } from './views.ts'

export type ConditionType = 'Available' | 'Progressing' | 'ReplicaFailure'
export type Conditions = readonly DeploymentCondition[]

export const conditionOf = (conditions: Conditions | undefined, type: ConditionType): DeploymentCondition | undefined =>
  conditions?.find((condition) => condition.type === type)

/** A condition as of now. */
export const condition = (
  type: ConditionType,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  now: number,
): DeploymentCondition => ({
  type,
  status,
  reason,
  message,
  lastUpdateTime: formatTime(now),
  lastTransitionTime: formatTime(now),
})

export const withoutCondition = (conditions: Conditions, type: ConditionType): Conditions => conditions.filter((each) => each.type !== type)

/** Sets a condition. The same status and reason is no change; the same status keeps the time of its transition. */
export function withCondition(conditions: Conditions, next: DeploymentCondition): Conditions {
  const type = next.type as ConditionType
  const current = conditionOf(conditions, type)
  if (current?.status === next.status && current.reason === next.reason) return conditions
  const kept = current?.status === next.status ? { ...next, lastTransitionTime: current.lastTransitionTime } : next
  return [...withoutCondition(conditions, type), kept as DeploymentCondition]
}

/** Counters of all sets, and whether enough is available. */
export function countedStatus(
  deployment: DeploymentView,
  current: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
  now: number,
): DeploymentStatus {
  const all = current === undefined ? old : [...old, current]
  const available = totalOf(all, 'availableReplicas')
  const replicas = totalOf(all, 'replicas')
  const wantedTotal = all.reduce((sum, set) => sum + wantedReplicas(set), 0)
  const terminating = totalOf(all, 'terminatingReplicas')
  const enough = available >= wantedReplicas(deployment) - fenceposts(deployment).maxUnavailable
  const conditions = withCondition(
    (deployment.status?.conditions ?? []) as Conditions,
    enough
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', now),
  )
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    replicas,
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: totalOf(all, 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, wantedTotal - available),
    ...(terminating > 0 || deployment.status?.terminatingReplicas !== undefined ? { terminatingReplicas: terminating } : {}),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: [...conditions],
  }
}
