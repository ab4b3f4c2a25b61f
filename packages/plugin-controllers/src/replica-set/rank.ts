import { parseTime } from '@continuo/core'
import { isReady, type PodView, readySince, restarts } from '../pods/pod-state.ts'

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** `controller.kubernetes.io/pod-deletion-cost` (KEP-2255); what is no integer counts as 0. */
function deletionCost(pod: PodView): number {
  const text = pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost']
  return text !== undefined && /^-?\d+$/.test(text) && (text === '0' || !/^-?0/.test(text)) ? Number(text) : 0
}

/** Ages are compared by their order of magnitude, so that deletion does not always hit the same node (KEP-2185). */
function ageBucket(since: number, now: number): number {
  const age = now - since
  return age <= 0 || Number.isNaN(age) ? -1 : Math.floor(Math.log10(age))
}

const createdAt = (pod: PodView): number => parseTime(pod.metadata.creationTimestamp ?? '')

type Criterion = (a: PodView, b: PodView) => number

function criteria(onNode: ReadonlyMap<string, number>, now: number): readonly Criterion[] {
  const assigned = (pod: PodView): number => ((pod.spec?.nodeName ?? '') === '' ? 0 : 1)
  const phase = (pod: PodView): number => phaseOrder[pod.status?.phase ?? 'Pending'] ?? 1
  const ready = (pod: PodView): number => (isReady(pod) ? 1 : 0)
  const doubledUp = (pod: PodView): number => onNode.get(pod.spec?.nodeName ?? '') ?? 0
  const younger =
    (since: (pod: PodView) => number | undefined): Criterion =>
    (a, b) => {
      const [sinceA, sinceB] = [since(a), since(b)]
      if (sinceA === undefined || sinceB === undefined || sinceA === sinceB) return 0
      const difference = ageBucket(sinceA, now) - ageBucket(sinceB, now)
      return difference !== 0 ? difference : (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1
    }
  return [
    (a, b) => assigned(a) - assigned(b),
    (a, b) => phase(a) - phase(b),
    (a, b) => ready(a) - ready(b),
    (a, b) => deletionCost(a) - deletionCost(b),
    (a, b) => doubledUp(b) - doubledUp(a),
    younger(readySince),
    (a, b) => restarts(b) - restarts(a),
    younger(createdAt),
  ]
}

/**
 * Pods in the order in which they should go, by Kubernetes' rules: not assigned, pending, not ready, cheap to delete,
 * doubled up on their node, ready or created most recently, restarted most. `related` are all pods of the same owner's sets.
 */
export function deletionOrder(pods: readonly PodView[], related: readonly PodView[], now: number): readonly PodView[] {
  const onNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? ''
    onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const order = criteria(onNode, now)
  return [...pods].sort((a, b) => {
    for (const compare of order) {
      const difference = compare(a, b)
      if (difference !== 0) return difference
    }
    return 0
  })
}
