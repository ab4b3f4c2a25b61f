import { hasReason } from '@continuo/core'
import { Pod, type PodStatus } from '@continuo/workload'
import type { PodView } from './model.ts'
import { statusPatch } from './status-patch.ts'
import type { WorkerShared } from './worker-shared.ts'

/** Writes the status of one pod when it differs from what the API shows. */
export class StatusReporter {
  readonly #shared: WorkerShared
  #lastPrint = ''
  #lastVersion: string | undefined

  constructor(shared: WorkerShared) {
    this.#shared = shared
  }

  /** Resolves with the pod as the API has it afterwards: `pod` itself when nothing had to be written or it is gone. Throws what the client throws. */
  async report(pod: PodView, status: PodStatus): Promise<PodView> {
    const print = JSON.stringify(status)
    const patch = statusPatch(status, pod.status)
    // Told already, and nobody has touched the pod since: what the API made of it stands.
    if (patch === undefined || (print === this.#lastPrint && pod.metadata.resourceVersion === this.#lastVersion)) return pod
    const { namespace = '', name, uid } = pod.metadata
    try {
      const written = await this.#shared.client
        .for(Pod)
        .subresource<Pod>('status')
        .patch({ namespace, name }, { type: 'strategic', body: { metadata: { uid }, status: patch } })
      this.#lastPrint = print
      this.#lastVersion = written.metadata.resourceVersion
      return written
    } catch (error) {
      // Gone, or another pod bears its name: the informer will say so.
      if (hasReason(error, 'NotFound') || (hasReason(error, 'Conflict') && (await this.#isGone(pod)))) return pod
      throw error
    }
  }

  async #isGone(pod: PodView): Promise<boolean> {
    const { namespace = '', name, uid } = pod.metadata
    try {
      return (await this.#shared.client.for(Pod).get({ namespace, name })).metadata.uid !== uid
    } catch (error) {
      return hasReason(error, 'NotFound')
    }
  }
}
