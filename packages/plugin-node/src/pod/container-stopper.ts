import { runHook } from './lifecycle-hooks.ts'
import { attemptsOf, containersOf, type PodContainer, type PodView } from './model.ts'
import { containerTarget } from './pod-events.ts'
import { messageOf, type WorkerShared } from './worker-shared.ts'

/** What a container gets for its end after a `preStop` handler has used up the grace period. */
const leastGraceMs = 2_000

/** Ends containers of one pod: `preStop`, stop signal, grace, SIGKILL. A stop that is cut short and asked for again does not run `preStop` twice. */
export class ContainerStopper {
  readonly #shared: WorkerShared
  readonly #uid: string
  readonly #hooked = new Set<string>()

  constructor(uid: string, shared: WorkerShared) {
    this.#uid = uid
    this.#shared = shared
  }

  /** Main containers together, then sidecars in reverse order of their start. Throws when the signal aborts. */
  async stopAll(pod: PodView, graceMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#shared
    const deadline = clock.monotonic() + graceMs
    const containers = containersOf(pod)
    await Promise.all(containers.filter((container) => !container.sidecar).map((container) => this.stop(pod, container, graceMs, signal)))
    for (const container of containers.filter((other) => other.sidecar).reverse())
      await this.stop(pod, container, Math.max(0, deadline - clock.monotonic()), signal)
  }

  async stop(pod: PodView, container: PodContainer, graceMs: number, signal: AbortSignal): Promise<void> {
    const { clock, runtime, view } = this.#shared
    const latest = attemptsOf(view.get(this.#uid), container.spec.name)[0]
    if (latest?.state !== 'running') return
    const deadline = clock.monotonic() + graceMs
    const hooked = await this.#preStop(pod, container, latest.attempt, graceMs, signal)
    signal.throwIfAborted()
    const left = deadline - clock.monotonic()
    await runtime.stop({ sandbox: this.#uid, name: container.spec.name }, Math.max(hooked ? leastGraceMs : 0, left), signal)
    signal.throwIfAborted()
  }

  async #preStop(pod: PodView, container: PodContainer, attempt: number, graceMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock, runtime, view, events } = this.#shared
    const handler = container.spec.lifecycle?.preStop
    const key = `${container.spec.name}/${attempt}`
    if (handler === undefined || graceMs <= 0 || this.#hooked.has(key)) return false
    this.#hooked.add(key)
    const timeout = new AbortController()
    const cancel = clock.after(graceMs, () => timeout.abort())
    const target = { sandbox: this.#uid, container: container.spec, podIP: view.get(this.#uid)?.ips[0] ?? '' }
    try {
      await runHook(runtime, clock, handler, target, AbortSignal.any([timeout.signal, signal]))
    } catch (error) {
      if (!signal.aborted)
        events.event(containerTarget(pod, container), 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${messageOf(error)}`)
    } finally {
      cancel()
    }
    return true
  }
}
