import type { Informer, Log } from '@continuo/core'
import type { Pod } from '@continuo/workload'
import type { PodView } from './model.ts'
import { PodWorker } from './pod-worker.ts'
import type { WorkerShared } from './worker-shared.ts'

/** One worker for each pod of the node; reaps what the runtime runs and nobody wants any more. */
export class PodManager {
  readonly #workers = new Map<string, PodWorker>()
  readonly #informer: Informer<Pod>
  readonly #shared: WorkerShared
  readonly #log: Log
  readonly #reaping = new Set<string>()
  /** False until every pod that the API knows has its worker: before that, nothing may be taken for a stray. */
  #started = false
  #released = false

  constructor(options: { readonly informer: Informer<Pod>; readonly shared: WorkerShared; readonly log: Log }) {
    this.#informer = options.informer
    this.#shared = options.shared
    this.#log = options.log
  }

  /** Takes over whatever runs already, then follows the informer. Call when the informer is synced. */
  async start(): Promise<void> {
    // A runtime that does not answer yet is asked again by the periodic look; workers wait for it.
    await this.#shared.view.refresh().catch((error) => this.#log.warn({ error }, 'cannot list containers'))
    this.#informer.on({
      added: (pod) => this.#take(pod),
      updated: (pod, old) => this.#changed(pod, old),
      deleted: (pod) => this.#gone(pod),
    })
    for (const pod of this.#informer.lister.list()) this.#take(pod)
    this.#started = true
    this.reap()
    await this.#unmountStrays()
  }

  /** The runtime reports a change of this sandbox. */
  runtimeChanged(uid: string): void {
    const worker = this.#workers.get(uid)
    if (worker !== undefined && !worker.finished) worker.wake()
    else this.reap()
  }

  pod(namespace: string, name: string): PodView | undefined {
    const known = this.#informer.lister.get({ namespace, name })
    return this.#workers.get(known?.metadata.uid ?? '')?.pod ?? known
  }

  pods(): readonly PodView[] {
    return this.#informer.lister.list()
  }

  async release(): Promise<void> {
    this.#released = true
    await Promise.all([...this.#workers.values()].map((worker) => worker.release()))
  }

  /** Ends sandboxes whose pod is no longer in the API: it was removed by force, or while the agent was away. */
  reap(): void {
    if (!this.#started || this.#released || !this.#shared.view.loaded) return
    for (const sandbox of this.#shared.view.all()) {
      if (this.#workers.has(sandbox.uid) || this.#reaping.has(sandbox.uid)) continue
      this.#reaping.add(sandbox.uid)
      this.#log.info({ pod: `${sandbox.namespace}/${sandbox.name}`, uid: sandbox.uid }, 'removing a sandbox whose pod is gone')
      void this.#remove(sandbox.uid).finally(() => this.#reaping.delete(sandbox.uid))
    }
  }

  #take(pod: PodView): void {
    const uid = pod.metadata.uid ?? ''
    const known = this.#workers.get(uid)
    if (known !== undefined) {
      known.update(pod)
      return
    }
    const worker = new PodWorker(pod, this.#shared)
    this.#workers.set(uid, worker)
    worker.wake()
  }

  #changed(pod: PodView, old: PodView): void {
    if (pod.metadata.uid !== old.metadata.uid) this.#gone(old)
    this.#take(pod)
  }

  #gone(pod: PodView): void {
    const uid = pod.metadata.uid ?? ''
    const worker = this.#workers.get(uid)
    this.#workers.delete(uid)
    if (worker === undefined || worker.finished) {
      this.reap()
      return
    }
    // Its sandbox is taken for a stray only when nobody works on it any more.
    this.#reaping.add(uid)
    void worker
      .release()
      .then(() => this.#remove(uid))
      .finally(() => this.#reaping.delete(uid))
  }

  /** What remains is found again by the next periodic look. */
  async #remove(uid: string): Promise<void> {
    try {
      await this.#shared.runtime.removeSandbox(uid)
      await this.#shared.volumes.unmount(uid)
      await this.#shared.view.refresh()
    } catch (error) {
      this.#log.warn({ uid, error }, 'cannot remove a sandbox whose pod is gone')
    }
  }

  /** Volumes of pods that went while the agent was away, sandbox and all. */
  async #unmountStrays(): Promise<void> {
    if (!this.#shared.view.loaded) return
    for (const uid of await this.#shared.volumes.uids()) {
      if (this.#workers.has(uid) || this.#reaping.has(uid) || this.#shared.view.get(uid) !== undefined) continue
      await this.#shared.volumes
        .unmount(uid)
        .catch((error) => this.#log.warn({ uid, error }, 'cannot unmount volumes of a pod that is gone'))
    }
  }
}
