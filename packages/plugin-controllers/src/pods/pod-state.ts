import { type DeepReadonly, parseTime } from '@continuo/core'
import type { Pod, PodCondition } from '@continuo/workload'

export type PodView = DeepReadonly<Pod>

/** Its containers have ended and will not run again. */
export const hasEnded = (pod: PodView): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

export const isTerminating = (pod: PodView): boolean => pod.metadata.deletionTimestamp !== undefined

/** Counts as a replica: neither ended nor going. */
export const isActive = (pod: PodView): boolean => !hasEnded(pod) && !isTerminating(pod)

const readyCondition = (pod: PodView): DeepReadonly<PodCondition> | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === 'Ready')

export const isReady = (pod: PodView): boolean => readyCondition(pod)?.status === 'True'

/** Wall milliseconds since when the pod is ready; undefined when it is not. */
export function readySince(pod: PodView): number | undefined {
  const condition = readyCondition(pod)
  return condition?.status === 'True' ? parseTime(condition.lastTransitionTime ?? '') : undefined
}

/** Ready for at least this long: what `minReadySeconds` asks. */
export function isAvailable(pod: PodView, minReadySeconds: number, now: number): boolean {
  const since = readySince(pod)
  return since !== undefined && (minReadySeconds === 0 || since + minReadySeconds * 1000 <= now)
}

/** Most restarts among the pod's containers, sidecars included. */
export const restarts = (pod: PodView): number => {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always').map((container) => container.name),
  )
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []).filter((status) => sidecars.has(status.name)),
  ]
  return Math.max(0, ...statuses.map((status) => status.restartCount))
}
