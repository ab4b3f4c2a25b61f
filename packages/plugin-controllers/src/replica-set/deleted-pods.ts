import type { PodView } from '../pods/pod-state.ts'

/**
 * Pods whose deletion was asked for and that the informer still shows as they were. Without this a second pass would
 * choose another victim. Bounded by the deletions under way: an entry goes with the pod, or when its deletion shows.
 */
export class DeletedPods {
  readonly #uids = new Set<string>()

  add(pod: PodView): void {
    if (pod.metadata.uid !== undefined) this.#uids.add(pod.metadata.uid)
  }

  forget(pod: PodView): void {
    this.#uids.delete(pod.metadata.uid ?? '')
  }

  /** The pods but for those whose deletion does not show yet. */
  without(pods: readonly PodView[]): readonly PodView[] {
    return pods.filter((pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) this.forget(pod)
      return !this.#uids.has(pod.metadata.uid ?? '')
    })
  }
}
