import { isActive, type PodView } from '../pods/pod-state.ts'
import { deletionOrder } from './rank.ts'

/** What a set should do next. */
export type ReplicaPlan =
  | { readonly type: 'create'; readonly count: number }
  | { readonly type: 'delete'; readonly pods: readonly PodView[] }
  | { readonly type: 'nothing' }

/** Replicas created or deleted in one pass, at most; the next pass goes on. */
export const burst = 500

/** Compares the active pods with the wish. `related` are the pods of all sets of the same owner, by which doubled-up nodes are known. */
export function planReplicas(wanted: number, pods: readonly PodView[], related: readonly PodView[], now: number): ReplicaPlan {
  const active = pods.filter(isActive)
  const surplus = active.length - wanted
  if (surplus < 0) return { type: 'create', count: Math.min(-surplus, burst) }
  if (surplus === 0) return { type: 'nothing' }
  const ordered = wanted === 0 ? active : deletionOrder(active, related.filter(isActive), now)
  return { type: 'delete', pods: ordered.slice(0, Math.min(surplus, burst)) }
}
