import { type DeepReadonly, formatKey, type Informer, keyOf } from '@continuo/core'
import type { Node, Pod } from '@continuo/workload'
import type { ClusterEvent } from './queue/cluster-event.ts'
import type { SchedulingQueue } from './queue/scheduling-queue.ts'
import type { ClusterCache } from './snapshot/cluster-cache.ts'

const isPlaced = (pod: DeepReadonly<Pod>): boolean => (pod.spec?.nodeName ?? '') !== ''

/** Pods that have ended hold nothing of their node. */
const hasEnded = (pod: DeepReadonly<Pod>): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** True for a pod that waits for a node: not placed, not going, not held by a scheduling gate. */
export const needsNode = (pod: DeepReadonly<Pod>): boolean =>
  !isPlaced(pod) && !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined && (pod.spec?.schedulingGates?.length ?? 0) === 0

export interface Following {
  readonly nodes: Informer<Node>
  readonly pods: Informer<Pod>
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  /** Pods of other schedulers count where they stand and are never queued. */
  readonly mine: (pod: DeepReadonly<Pod>) => boolean
  readonly now: () => number
  /** Called after each change. */
  readonly changed: () => void
}

/** Keeps the cache and the queue in step with what the informers say. */
export function followCluster({ nodes, pods, cache, queue, mine, now, changed }: Following): void {
  const happened = (event: ClusterEvent): void => {
    queue.happened(event, now())
    changed()
  }
  const see = (pod: DeepReadonly<Pod>, old: DeepReadonly<Pod> | undefined): void => {
    const key = formatKey(keyOf(pod))
    if (isPlaced(pod)) {
      if (hasEnded(pod)) {
        free(pod)
        return
      }
      cache.setPod(pod)
      if (old === undefined || !isPlaced(old)) {
        queue.delete(key)
        happened({ type: 'pod-placed', pod })
      }
    } else if (!cache.isAssumed(pod)) {
      if (needsNode(pod) && mine(pod)) queue.set(pod, now())
      else queue.delete(key)
      changed()
    }
  }
  const free = (pod: DeepReadonly<Pod>): void => {
    cache.removePod(pod)
    happened({ type: 'pod-freed', pod })
  }
  nodes.on({
    added: (node) => {
      cache.setNode(node)
      happened({ type: 'node-added', node })
    },
    updated: (node, old) => {
      cache.setNode(node)
      happened({ type: 'node-updated', node, old })
    },
    deleted: (node) => {
      cache.removeNode(node.metadata.name)
      changed()
    },
  })
  pods.on({
    added: (pod) => see(pod, undefined),
    updated: (pod, old) => see(pod, old),
    deleted: (pod) => {
      queue.delete(formatKey(keyOf(pod)))
      free(pod)
    },
  })
}
