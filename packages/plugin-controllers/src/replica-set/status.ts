import { compileLabelSelector, type DeepReadonly, formatTime } from '@continuo/core'
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '@continuo/workload'
import { hasEnded, isActive, isAvailable, isReady, isTerminating, type PodView } from '../pods/pod-state.ts'

/** Why replicas could not be made or removed. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete'
  readonly message: string
}

/** The status of a set that has these pods. `pods` are those that it controls, ended and going ones included. */
export function replicaSetStatus(
  set: DeepReadonly<ReplicaSet>,
  pods: readonly PodView[],
  failure: ReplicaFailure | undefined,
  now: number,
): ReplicaSetStatus {
  const active = pods.filter(isActive)
  const templated = compileLabelSelector({ matchLabels: set.spec?.template?.metadata?.labels ?? {} })
  const conditions = failureConditions(set.status?.conditions ?? [], failure, now)
  const terminating = pods.filter((pod) => isTerminating(pod) && !hasEnded(pod)).length
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => templated(pod.metadata.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)).length,
    ...(terminating > 0 || set.status?.terminatingReplicas !== undefined ? { terminatingReplicas: terminating } : {}),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

function failureConditions(
  current: readonly DeepReadonly<ReplicaSetCondition>[],
  failure: ReplicaFailure | undefined,
  now: number,
): ReplicaSetCondition[] {
  const others = current.filter((condition) => condition.type !== 'ReplicaFailure')
  if (failure === undefined) return others
  const known = current.find((condition) => condition.type === 'ReplicaFailure')
  if (known?.status === 'True' && known.reason === failure.reason) return [...others, known]
  return [
    ...others,
    { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message, lastTransitionTime: formatTime(now) },
  ]
}

/** Milliseconds until a pod that is ready becomes available by `minReadySeconds`; undefined when none is on its way. */
export function nextAvailability(
  pods: readonly PodView[],
  minReadySeconds: number,
  now: number,
  since: (pod: PodView) => number | undefined,
): number | undefined {
  if (minReadySeconds === 0) return undefined
  const waits = pods.filter(isActive).flatMap((pod) => {
    const start = since(pod)
    const wait = start === undefined ? 0 : start + minReadySeconds * 1000 - now
    return wait > 0 ? [wait] : []
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}
