import { parseTime } from '@continuo/core'
import type { DeploymentCondition, DeploymentStatus } from '@continuo/workload'
import { type Conditions, condition, conditionOf, countedStatus, withCondition, withoutCondition } from './status.ts'
import { type DeploymentView, type ReplicaSetView, wantedReplicas } from './views.ts'

export const reasons = {
  available: 'NewReplicaSetAvailable',
  updated: 'ReplicaSetUpdated',
  timedOut: 'ProgressDeadlineExceeded',
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  failed: 'ReplicaSetCreateError',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const

/** No deadline is also what the largest 32-bit number means. */
export const hasDeadline = (deployment: DeploymentView): boolean =>
  deployment.spec?.progressDeadlineSeconds !== undefined && deployment.spec.progressDeadlineSeconds !== 2 ** 31 - 1

/** Everything is of the present template and available, and no old pod is left. */
export function isComplete(deployment: DeploymentView, status: DeploymentStatus | DeploymentView['status']): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function isProgressing(deployment: DeploymentView, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {}
  const old = (status: DeploymentStatus | (DeploymentView['status'] & object)): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(next) < old(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(deployment: DeploymentView, current: DeploymentCondition | undefined, now: number): boolean {
  if (current === undefined || current.reason === reasons.available) return false
  if (current.reason === reasons.timedOut) return true
  return parseTime(current.lastUpdateTime ?? '') + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 < now
}

/** The whole status while a rollout may be under way: counters, availability, progress against the deadline, and failures of the sets. */
export function rolloutStatus(
  deployment: DeploymentView,
  current: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
  now: number,
): DeploymentStatus {
  const next = countedStatus(deployment, current, old, now)
  let conditions: Conditions = next.conditions ?? []
  const known = conditionOf(conditions, 'Progressing')
  const settled = next.replicas === next.updatedReplicas && known?.reason === reasons.available
  if (!hasDeadline(deployment)) conditions = withoutCondition(conditions, 'Progressing')
  else if (!settled) conditions = withProgress(deployment, current, next, conditions, now)
  const failure = replicaFailure(current, old)
  conditions = failure === undefined ? withoutCondition(conditions, 'ReplicaFailure') : withCondition(conditions, failure)
  return { ...next, conditions: [...conditions] }
}

function withProgress(
  deployment: DeploymentView,
  current: ReplicaSetView | undefined,
  next: DeploymentStatus,
  conditions: Conditions,
  now: number,
): Conditions {
  const subject = current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`
  const known = conditionOf(conditions, 'Progressing')
  if (isComplete(deployment, next))
    return withCondition(conditions, condition('Progressing', 'True', reasons.available, `${subject} has successfully progressed.`, now))
  if (isProgressing(deployment, next)) {
    const progress = condition('Progressing', 'True', reasons.updated, `${subject} is progressing.`, now)
    const kept =
      known?.status === 'True' && known.lastTransitionTime !== undefined
        ? { ...progress, lastTransitionTime: known.lastTransitionTime }
        : progress
    // The time of the last update is what the deadline counts from: it moves even when status and reason stay.
    return [...withoutCondition(conditions, 'Progressing'), kept]
  }
  if (!hasTimedOut(deployment, known, now)) return conditions
  return withCondition(conditions, condition('Progressing', 'False', reasons.timedOut, `${subject} has timed out progressing.`, now))
}

/** What a set says about pods that it could not make; the current set speaks first. */
function replicaFailure(current: ReplicaSetView | undefined, old: readonly ReplicaSetView[]): DeploymentCondition | undefined {
  for (const set of current === undefined ? old : [current, ...old]) {
    const failure = set.status?.conditions?.find((each) => each.type === 'ReplicaFailure')
    if (failure !== undefined)
      return { ...failure, type: 'ReplicaFailure', ...(failure.lastTransitionTime && { lastUpdateTime: failure.lastTransitionTime }) }
  }
  return undefined
}

/** Milliseconds until the progress deadline should be looked at again; undefined when there is nothing to wait for. */
export function nextDeadlineCheck(deployment: DeploymentView, status: DeploymentStatus, now: number): number | undefined {
  const known = conditionOf(status.conditions, 'Progressing')
  if (!hasDeadline(deployment) || known === undefined || isComplete(deployment, status)) return undefined
  if (known.reason === reasons.timedOut || known.reason === reasons.available) return undefined
  return Math.max(0, parseTime(known.lastUpdateTime ?? '') + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 - now) + 1000
}

/** The progress condition after `spec.paused` changed, or undefined when it says so already: a paused rollout is no late one. */
export function pauseCondition(deployment: DeploymentView, now: number): DeploymentCondition | undefined {
  if (!hasDeadline(deployment)) return undefined
  const known = conditionOf(deployment.status?.conditions as Conditions | undefined, 'Progressing')
  if (known?.reason === reasons.timedOut) return undefined
  const paused = deployment.spec?.paused === true
  if (paused === (known?.reason === reasons.paused)) return undefined
  return paused
    ? condition('Progressing', 'Unknown', reasons.paused, 'Deployment is paused', now)
    : condition('Progressing', 'Unknown', reasons.resumed, 'Deployment is resumed', now)
}
