import { ContinuoError, isContinuoError } from '@continuo/core'
import { type ContainerSpec, isRuntimeError } from '@continuo/workload'
import { Backoff } from './backoff.ts'
import { runHook } from './lifecycle-hooks.ts'
import type { ContainerProblem, PodContainer, PodView } from './model.ts'
import { containerTarget } from './pod-events.ts'
import { containerSpec } from './translate.ts'
import { graceOf, messageOf, type WorkerShared } from './worker-shared.ts'

/** Starts containers of one pod, and remembers why those wait that could not be started. */
export class ContainerStarter {
  readonly #uid: string
  readonly #shared: WorkerShared
  readonly #delays = new Backoff({ baseMs: 10_000, maxMs: 300_000 })
  readonly #problems = new Map<string, ContainerProblem & { readonly image: string }>()

  constructor(uid: string, shared: WorkerShared) {
    this.#uid = uid
    this.#shared = shared
  }

  /** By container name. */
  get problems(): ReadonlyMap<string, ContainerProblem> {
    return this.#problems
  }

  /** Forgets problems of containers whose image has been changed: that may be the cure. */
  follow(containers: readonly PodContainer[]): void {
    const images = new Map(containers.map(({ spec }) => [spec.name, spec.image ?? '']))
    for (const [name, problem] of this.#problems) if (images.get(name) !== problem.image) this.#forget(name)
  }

  /** Never throws for what is wrong with the container: that becomes a problem. Throws when the signal aborts. */
  async start(pod: PodView, container: PodContainer, attempt: number, signal: AbortSignal): Promise<void> {
    const { events, runtime } = this.#shared
    const about = containerTarget(pod, container)
    const { name } = container.spec
    try {
      const spec = await this.#spec(pod, container, attempt)
      await this.#ensureImage(pod, container, signal)
      const state = await runtime.ensureContainer(spec, signal)
      if (state.state !== 'running' && state.message !== undefined && state.startedAt === undefined)
        throw new ContinuoError('RUNTIME_START_FAILED', state.message)
      this.#forget(name)
      events.event(about, 'Normal', 'Created', `Created container: ${name}`)
      events.event(about, 'Normal', 'Started', `Started container ${name}`)
    } catch (error) {
      signal.throwIfAborted()
      return this.#couldNotStart(pod, container, error)
    }
    await this.#postStart(pod, container, signal)
  }

  async #spec(pod: PodView, container: PodContainer, attempt: number): Promise<ContainerSpec> {
    const { volumes, view, containerLog } = this.#shared
    const paths = await volumes.mount(pod, this.#shared.volumeObjects(pod))
    const input = {
      pod,
      container: container.spec,
      podIPs: pod.spec?.hostNetwork === true ? this.#shared.nodeIPs() : (view.get(this.#uid)?.ips ?? []),
      nodeIPs: this.#shared.nodeIPs(),
      ...this.#shared.environment(pod),
      volumes: paths,
      log: containerLog,
    }
    const spec = await containerSpec(input, container, attempt)
    await volumes.prepareMounts(spec.mounts, paths)
    return spec
  }

  async #ensureImage(pod: PodView, container: PodContainer, signal: AbortSignal): Promise<void> {
    try {
      await this.#haveImage(pod, container, signal)
    } catch (error) {
      const { image = '' } = container.spec
      if (!isRuntimeError(error, 'RUNTIME_INVALID_SPEC')) throw error
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`
      throw new ContinuoError('NODE_IMAGE_NAME', message, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) })
    }
  }

  async #haveImage(pod: PodView, container: PodContainer, signal: AbortSignal): Promise<void> {
    const { runtime, events } = this.#shared
    const about = containerTarget(pod, container)
    const image = container.spec.image ?? ''
    const policy = container.spec.imagePullPolicy ?? 'IfNotPresent'
    if ((policy !== 'Always' || !runtime.features.pull) && (await runtime.imagePresent(image))) {
      events.event(about, 'Normal', 'Pulled', `Container image "${image}" already present on machine`)
      return
    }
    if (policy === 'Never')
      throw new ContinuoError('NODE_IMAGE_NEVER_PULL', `Container image "${image}" is not present with pull policy of Never`)
    events.event(about, 'Normal', 'Pulling', `Pulling image "${image}"`)
    await runtime.pullImage(image, await this.#shared.credentials(pod, image), signal)
    events.event(about, 'Normal', 'Pulled', `Successfully pulled image "${image}"`)
  }

  async #postStart(pod: PodView, container: PodContainer, signal: AbortSignal): Promise<void> {
    const { runtime, clock, view, events } = this.#shared
    const handler = container.spec.lifecycle?.postStart
    if (handler === undefined) return
    try {
      const target = { sandbox: this.#uid, container: container.spec, podIP: view.get(this.#uid)?.ips[0] ?? '' }
      await runHook(runtime, clock, handler, target, signal)
    } catch (error) {
      signal.throwIfAborted()
      events.event(containerTarget(pod, container), 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${messageOf(error)}`)
      await runtime.stop({ sandbox: this.#uid, name: container.spec.name }, graceOf(pod), signal)
    }
  }

  #forget(name: string): void {
    this.#problems.delete(name)
    this.#delays.reset(name)
  }

  /** Translates an error of a start into the waiting reason and the events that people know, and delays the next try. */
  #couldNotStart(pod: PodView, container: PodContainer, error: unknown): void {
    const { events, clock } = this.#shared
    const { name, image = '' } = container.spec
    const about = containerTarget(pod, container)
    const known = this.#problems.get(name)
    const reason = problemReason(error, known?.reason)
    const detail = messageOf(error)
    const backingOff = reason === 'ImagePullBackOff'
    const message = backingOff ? `Back-off pulling image "${image}": ErrImagePull: ${detail}` : detail
    this.#problems.set(name, { reason, message, image, retryAt: this.#delays.next(name, clock.now()) })
    if (backingOff) events.event(about, 'Normal', 'BackOff', `Back-off pulling image "${image}"`)
    else if (reason === 'ErrImagePull') events.event(about, 'Warning', 'Failed', `Failed to pull image "${image}": ${detail}`)
    else if (reason === 'InvalidImageName') events.event(about, 'Warning', 'InspectFailed', detail)
    const named = reason === 'ErrImagePull' || backingOff || reason === 'ErrImageNeverPull' || reason === 'InvalidImageName'
    events.event(about, 'Warning', 'Failed', named ? `Error: ${reason}` : `Error: ${detail}`)
  }
}

/** The waiting reason for an error; a pull that fails again is a back-off. Pure. */
export function problemReason(error: unknown, before: string | undefined): string {
  const code = isContinuoError(error) ? error.code : ''
  if (isRuntimeError(error, 'RUNTIME_IMAGE_NOT_PRESENT', 'RUNTIME_IMAGE_PULL'))
    return before === 'ErrImagePull' || before === 'ImagePullBackOff' ? 'ImagePullBackOff' : 'ErrImagePull'
  if (code === 'NODE_IMAGE_NEVER_PULL') return 'ErrImageNeverPull'
  if (code === 'NODE_IMAGE_NAME') return 'InvalidImageName'
  if (code === 'NODE_CONTAINER_CONFIG' || code === 'NODE_VOLUME') return 'CreateContainerConfigError'
  return 'RunContainerError'
}
