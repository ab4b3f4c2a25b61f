import { type DeepReadonly, type EventRecorder, formatTime, hasReason, keyOf, type ObjectClient } from '@continuo/core'
import { Pod, type PodCondition } from '@continuo/workload'

/** The condition that says why a pod has no node. */
export function scheduledCondition(reason: 'Unschedulable' | 'SchedulerError', message: string, now: number): PodCondition {
  return { type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime: formatTime(now) }
}

/** The condition to write, or undefined when the pod says the same already; the time of the transition is kept while the status is. */
export function changedCondition(pod: DeepReadonly<Pod>, wanted: PodCondition): PodCondition | undefined {
  const current = pod.status?.conditions?.find((condition) => condition.type === wanted.type)
  if (current?.status === wanted.status && current.reason === wanted.reason && current.message === wanted.message) return undefined
  return current?.status === wanted.status && current.lastTransitionTime !== undefined
    ? { ...wanted, lastTransitionTime: current.lastTransitionTime }
    : wanted
}

/** Tells the pod's owner why it has no node: an event, and the condition if it is news. A pod that is gone is no error. */
export async function reportFailure(
  to: { readonly client: ObjectClient; readonly events: EventRecorder },
  pod: DeepReadonly<Pod>,
  failure: { readonly reason: 'Unschedulable' | 'SchedulerError'; readonly message: string; readonly nominatedNodeName?: string },
  now: number,
): Promise<void> {
  to.events.event(pod, 'Warning', 'FailedScheduling', failure.message)
  const condition = changedCondition(pod, scheduledCondition(failure.reason, failure.message, now))
  const nominated = failure.nominatedNodeName !== pod.status?.nominatedNodeName ? failure.nominatedNodeName : undefined
  if (condition === undefined && nominated === undefined) return
  const status = { ...(condition && { conditions: [condition] }), ...(nominated !== undefined && { nominatedNodeName: nominated }) }
  try {
    const metadata = pod.metadata.uid === undefined ? {} : { metadata: { uid: pod.metadata.uid } }
    await to.client
      .for(Pod)
      .subresource('status')
      .patch(keyOf(pod), { type: 'strategic', body: { ...metadata, status } })
  } catch (error) {
    if (!hasReason(error, 'NotFound', 'Conflict')) throw error
  }
}
