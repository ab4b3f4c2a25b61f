import { parseTime } from '@continuo/core'
import { hasEnded, isTerminating, type PodView } from '../pods/pod-state.ts'

/** A pod that nobody will end, and why. */
export interface Doomed {
  readonly pod: PodView
  readonly why: 'orphaned' | 'unscheduled' | 'terminated'
}

/**
 * Pods that nobody takes care of: bound to a node that is gone, deleted before they had a node,
 * and the oldest of those that have ended when there are more than `keepEnded`.
 */
export function doomedPods(pods: readonly PodView[], nodeIsGone: (name: string) => boolean, keepEnded: number): readonly Doomed[] {
  const doomed: Doomed[] = []
  const ended: PodView[] = []
  for (const pod of pods) {
    const node = pod.spec?.nodeName ?? ''
    if (node !== '' && nodeIsGone(node)) doomed.push({ pod, why: 'orphaned' })
    else if (node === '' && isTerminating(pod)) doomed.push({ pod, why: 'unscheduled' })
    else if (hasEnded(pod) && !isTerminating(pod)) ended.push(pod)
  }
  const surplus = ended.length - keepEnded
  if (surplus > 0) {
    const oldestFirst = ended.sort((a, b) => created(a) - created(b))
    doomed.push(...oldestFirst.slice(0, surplus).map((pod) => ({ pod, why: 'terminated' as const })))
  }
  return doomed
}

const created = (pod: PodView): number => parseTime(pod.metadata.creationTimestamp ?? '')
