import { PassThrough } from 'node:stream'
import { type Clock, ContinuoError, type EventRecorder, hasReason, isContinuoError, type Log, type ObjectClient } from '@continuo/core'
import {
  type ContainerSpec,
  isRuntimeError,
  Pod,
  type PodStatus,
  type Prober,
  type ProbeTarget,
  type Runtime,
  type RuntimeContainer,
  type VolumeObjects,
} from '@continuo/workload'
import { Backoff } from './backoff.ts'
import type { EnvironmentInput } from './environment.ts'
import { runHook } from './lifecycle-hooks.ts'
import {
  attemptsOf,
  type ContainerProblem,
  containersOf,
  type PodContainer,
  type PodObservation,
  type PodView,
  type ProbeState,
} from './model.ts'
import { hasEnded, type PodAction, planPod } from './plan.ts'
import { ProbeRunner } from './probe-runner.ts'
import type { RuntimeView } from './runtime-view.ts'
import { type PodVerdict, podStatus } from './status.ts'
import { statusPatch } from './status-patch.ts'
import { containerSpec, sandboxSpec } from './translate.ts'
import type { VolumeManager } from './volume-manager.ts'

/** What workers of all pods of a node share. */
export interface WorkerShared {
  readonly runtime: Runtime
  readonly view: RuntimeView
  readonly volumes: VolumeManager
  readonly client: ObjectClient
  readonly clock: Clock
  readonly log: Log
  readonly events: EventRecorder
  readonly containerLog: ContainerSpec['log']
  readonly refreshMs: number
  nodeIPs(): readonly string[]
  environment(pod: PodView): Pick<EnvironmentInput, 'nodeName' | 'allocatable' | 'services' | 'source'>
  volumeObjects(pod: PodView): VolumeObjects
  prober(handler: string): Prober | undefined
}

/**
 * Brings one pod from what is to what shall be, one step at a time and never two at once. It is woken by changes of the pod,
 * of the runtime, and by its own timers; each turn observes afresh, so a wake-up that is lost or doubled does no harm.
 */
export class PodWorker {
  readonly uid: string
  readonly #shared: WorkerShared
  readonly #abort = new AbortController()
  readonly #crashes = new Backoff({ baseMs: 10_000, maxMs: 300_000 })
  readonly #pulls = new Backoff({ baseMs: 10_000, maxMs: 300_000 })
  readonly #problems = new Map<string, ContainerProblem>()
  readonly #probes = new Map<string, { attempt: number; runner: ProbeRunner }>()
  readonly #counted = new Map<string, number>()
  #pod: PodView
  #blocked: ContainerProblem | undefined
  #verdict: PodVerdict | undefined
  #turn: Promise<void> | undefined
  #again = false
  #cancelTimer: (() => void) | undefined
  #stopAbort: AbortController | undefined
  #finished = false
  #lastStatus = ''

  constructor(pod: PodView, shared: WorkerShared) {
    this.#pod = pod
    this.uid = pod.metadata.uid ?? ''
    this.#shared = shared
  }

  /** True once nothing of the pod is left on this node. */
  get finished(): boolean {
    return this.#finished
  }

  get pod(): PodView {
    return this.#pod
  }

  update(pod: PodView): void {
    const graceChanged = pod.metadata.deletionGracePeriodSeconds !== this.#pod.metadata.deletionGracePeriodSeconds
    this.#pod = pod
    if (graceChanged || pod.metadata.deletionTimestamp !== undefined) this.#stopProbes('liveness')
    if (graceChanged) this.#stopAbort?.abort()
    this.wake()
  }

  wake(): void {
    if (this.#finished || this.#abort.signal.aborted) return
    this.#again = true
    this.#turn ??= this.#run().finally(() => {
      this.#turn = undefined
    })
  }

  /** Lets go of the pod without touching its containers: the agent is stopping. */
  async release(): Promise<void> {
    this.#abort.abort()
    this.#stopAbort?.abort()
    this.#cancelTimer?.()
    this.#stopProbes()
    await this.#turn
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#abort.signal.aborted && !this.#finished) {
      this.#again = false
      try {
        if (this.#pod.metadata.deletionTimestamp !== undefined) await this.#terminate()
        else await this.#sync()
      } catch (error) {
        if (this.#abort.signal.aborted) return
        this.#shared.log.warn({ pod: this.#name, error }, 'cannot sync pod')
        this.#lookAgain(this.#shared.clock.now() + 2_000)
      }
    }
  }

  get #name(): string {
    return `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`
  }

  #observe(): PodObservation {
    const sandbox = this.#shared.view.get(this.uid)
    const now = this.#shared.clock.now()
    return {
      pod: this.#pod,
      sandbox,
      now,
      backoff: new Map(
        containersOf(this.#pod).flatMap(({ spec }) =>
          this.#crashes.until(spec.name) === undefined ? [] : [[spec.name, this.#crashes.until(spec.name) as number]],
        ),
      ),
      problems: this.#problems,
      probes: new Map([...this.#probes].map(([name, probe]): [string, ProbeState] => [name, probe.runner.state])),
      blocked: this.#blocked,
      nodeIPs: this.#shared.nodeIPs(),
    }
  }

  async #sync(): Promise<void> {
    this.#countCrashes()
    this.#followProbes()
    await this.#checkDeadline()
    const plan = this.#verdict === undefined ? planPod(this.#observe()) : { actions: [] }
    await this.#report()
    for (const action of plan.actions) await this.#carryOut(action)
    if (plan.actions.length > 0) {
      await this.#shared.view.refresh()
      this.#again = true
    }
    if (plan.lookAgainAt !== undefined) this.#lookAgain(plan.lookAgainAt)
    else if (this.#shared.volumes.refreshes(this.#pod)) {
      this.#lookAgain(this.#shared.clock.now() + this.#shared.refreshMs)
      if (plan.actions.length === 0 && this.#shared.view.get(this.uid) !== undefined)
        await this.#shared.volumes
          .mount(this.#pod, this.#shared.volumeObjects(this.#pod))
          .catch((error) => this.#shared.log.warn({ pod: this.#name, error }, 'cannot refresh volumes'))
    }
  }

  async #carryOut(action: PodAction): Promise<void> {
    const { runtime } = this.#shared
    switch (action.type) {
      case 'sandbox':
        return this.#makeSandbox()
      case 'removeSandbox':
        this.#stopProbes()
        return runtime.removeSandbox(this.uid)
      case 'start':
        return this.#start(action.container, action.attempt)
      case 'kill':
        this.#shared.events.event(this.#pod, 'Normal', 'Killing', action.message)
        this.#probes.get(action.container.spec.name)?.runner.stop()
        return this.#stopContainer(
          action.container,
          (action.gracePeriodSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1_000,
          this.#abort.signal,
        )
      case 'prune':
        return runtime.removeContainer({ sandbox: this.uid, name: action.container.spec.name, attempt: action.attempt })
    }
  }

  async #makeSandbox(): Promise<void> {
    try {
      await this.#shared.volumes.mount(this.#pod, this.#shared.volumeObjects(this.#pod))
      await this.#shared.runtime.ensureSandbox(sandboxSpec(this.#pod), this.#abort.signal)
      this.#blocked = undefined
      this.#pulls.reset('sandbox')
    } catch (error) {
      const reason = isContinuoError(error) && error.code === 'NODE_VOLUME' ? 'FailedMount' : 'FailedCreatePodSandBox'
      this.#block(reason, error)
    }
  }

  #block(reason: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#shared.events.event(this.#pod, 'Warning', reason, message)
    const now = this.#shared.clock.now()
    this.#blocked = { reason, message, retryAt: Math.min(this.#pulls.next('sandbox', now), now + 10_000) }
  }

  async #start(container: PodContainer, attempt: number): Promise<void> {
    const { name } = container.spec
    const { events, runtime } = this.#shared
    try {
      const sandbox = this.#shared.view.get(this.uid)
      const volumes = await this.#shared.volumes.mount(this.#pod, this.#shared.volumeObjects(this.#pod))
      const input = {
        pod: this.#pod,
        container: container.spec,
        podIPs: sandbox?.ips ?? [],
        nodeIPs: this.#shared.nodeIPs(),
        ...this.#shared.environment(this.#pod),
        volumes,
        log: this.#shared.containerLog,
      }
      const spec = await containerSpec(input, container, attempt)
      await this.#ensureImage(container)
      const state = await runtime.ensureContainer(spec, this.#abort.signal)
      this.#problems.delete(name)
      this.#pulls.reset(name)
      if (state.state !== 'running' && state.message !== undefined && state.startedAt === undefined)
        throw new ContinuoError('RUNTIME_START_FAILED', state.message)
      events.event(this.#pod, 'Normal', 'Created', `Created container: ${name}`)
      events.event(this.#pod, 'Normal', 'Started', `Started container ${name}`)
      if (container.spec.lifecycle?.postStart !== undefined) await this.#postStart(container)
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#couldNotStart(name, error)
    }
  }

  async #ensureImage(container: PodContainer): Promise<void> {
    const { runtime, events } = this.#shared
    const image = container.spec.image ?? ''
    const policy = container.spec.imagePullPolicy ?? 'IfNotPresent'
    if ((policy !== 'Always' || !runtime.features.pull) && (await runtime.imagePresent(image))) {
      events.event(this.#pod, 'Normal', 'Pulled', `Container image "${image}" already present on machine`)
      return
    }
    if (policy === 'Never')
      throw new ContinuoError('NODE_IMAGE_NEVER_PULL', `Container image "${image}" is not present with pull policy of Never`)
    events.event(this.#pod, 'Normal', 'Pulling', `Pulling image "${image}"`)
    await runtime.pullImage(image, undefined, this.#abort.signal)
    events.event(this.#pod, 'Normal', 'Pulled', `Successfully pulled image "${image}"`)
  }

  async #postStart(container: PodContainer): Promise<void> {
    const handler = container.spec.lifecycle?.postStart
    if (handler === undefined) return
    try {
      await runHook(
        this.#shared.runtime,
        this.#shared.clock,
        handler,
        { sandbox: this.uid, container: container.spec, podIP: this.#shared.view.get(this.uid)?.ips[0] ?? '' },
        this.#abort.signal,
      )
    } catch (error) {
      this.#shared.events.event(this.#pod, 'Warning', 'FailedPostStartHook', error instanceof Error ? error.message : String(error))
      await this.#shared.runtime.stop(
        { sandbox: this.uid, name: container.spec.name },
        (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1_000,
      )
    }
  }

  /** Translates an error of a start into the waiting reason and the event that people know, and delays the next try. */
  #couldNotStart(name: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const code = isContinuoError(error) ? error.code : ''
    const again = this.#problems.has(name)
    const retryAt = this.#pulls.next(name, this.#shared.clock.now())
    const image = isRuntimeError(error, 'RUNTIME_IMAGE_NOT_PRESENT', 'RUNTIME_IMAGE_PULL')
    const reason = image
      ? again
        ? 'ImagePullBackOff'
        : 'ErrImagePull'
      : code === 'NODE_IMAGE_NEVER_PULL'
        ? 'ErrImageNeverPull'
        : code === 'NODE_CONTAINER_CONFIG' || code === 'NODE_VOLUME'
          ? 'CreateContainerConfigError'
          : 'RunContainerError'
    this.#problems.set(name, { reason, message: reason === 'ImagePullBackOff' ? `Back-off pulling image: ${message}` : message, retryAt })
    this.#shared.events.event(
      this.#pod,
      'Warning',
      reason === 'ImagePullBackOff' ? 'BackOff' : 'Failed',
      reason === 'ImagePullBackOff' ? `Back-off pulling image: ${message}` : `Error: ${reason}: ${message}`,
    )
  }

  /** Each attempt that ended is counted once: its restart waits with back-off. */
  #countCrashes(): void {
    for (const { spec } of containersOf(this.#pod)) {
      const latest = attemptsOf(this.#shared.view.get(this.uid), spec.name)[0]
      if (latest === undefined || !hasEnded(latest) || (this.#counted.get(spec.name) ?? -1) >= latest.attempt) continue
      this.#counted.set(spec.name, latest.attempt)
      // The first restart follows at once, as Kubernetes does; from then on the delay doubles.
      const until =
        latest.attempt === 0 ? (latest.finishedAt ?? 0) : this.#crashes.next(spec.name, latest.finishedAt ?? this.#shared.clock.now())
      if (until > this.#shared.clock.now() && (this.#pod.spec?.restartPolicy ?? 'Always') !== 'Never') {
        this.#shared.events.event(
          this.#pod,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${spec.name} in pod ${this.#pod.metadata.name}_${this.#pod.metadata.namespace}(${this.uid})`,
        )
      }
    }
  }

  /** Starts probes of new attempts and ends those of old ones. */
  #followProbes(): void {
    const sandbox = this.#shared.view.get(this.uid)
    for (const container of containersOf(this.#pod)) {
      const { name } = container.spec
      const latest = attemptsOf(sandbox, name)[0]
      const known = this.#probes.get(name)
      if (known !== undefined && (latest === undefined || latest.attempt !== known.attempt || latest.state !== 'running')) {
        known.runner.stop()
        this.#probes.delete(name)
      }
      if (latest?.state === 'running' && !this.#probes.has(name) && (container.kind === 'main' || container.sidecar))
        this.#startProbes(container, latest)
    }
  }

  #startProbes(container: PodContainer, latest: RuntimeContainer): void {
    const runner = new ProbeRunner({
      container: container.spec,
      clock: this.#shared.clock,
      target: this.#probeTarget(container),
      prober: this.#shared.prober,
      changed: () => this.wake(),
      failed: (probe, message) =>
        this.#shared.events.event(
          this.#pod,
          'Warning',
          'Unhealthy',
          `${probe[0]?.toUpperCase()}${probe.slice(1)} probe failed: ${message}`,
        ),
    })
    this.#probes.set(container.spec.name, { attempt: latest.attempt, runner })
    runner.start()
  }

  #probeTarget(container: PodContainer): ProbeTarget {
    const ips = this.#shared.view.get(this.uid)?.ips ?? []
    return {
      podIP: (this.#pod.spec?.hostNetwork === true ? this.#shared.nodeIPs()[0] : ips[0]) ?? '127.0.0.1',
      handler: {},
      port: (port) =>
        typeof port === 'number' || /^\d+$/.test(port)
          ? Number(port)
          : container.spec.ports?.find((other) => other.name === port)?.containerPort,
      exec: async (command, signal) => {
        const output = new PassThrough()
        const chunks: Buffer[] = []
        let size = 0
        output.on('data', (chunk: Buffer) => {
          if (size < 10_240) chunks.push(chunk)
          size += chunk.length
        })
        const exitCode = await this.#shared.runtime.exec(
          { sandbox: this.uid, name: container.spec.name },
          command,
          { stdout: output, stderr: output, tty: false },
          signal,
        )
        return { exitCode, output: Buffer.concat(chunks).toString('utf8').slice(0, 10_240) }
      },
    }
  }

  #stopProbes(only?: 'liveness'): void {
    for (const { runner } of this.#probes.values()) runner.stop()
    if (only === undefined) this.#probes.clear()
  }

  async #checkDeadline(): Promise<void> {
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    const started = this.#pod.status?.startTime
    if (seconds === undefined || started === undefined || this.#verdict !== undefined) return
    const at = Date.parse(started) + seconds * 1_000
    if (at > this.#shared.clock.now()) return this.#lookAgain(at)
    this.#verdict = {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }
    this.#shared.events.event(this.#pod, 'Normal', 'DeadlineExceeded', this.#verdict.message)
    await this.#stopAll((this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1_000, this.#abort.signal)
  }

  /** Grace, SIGKILL, last status, volumes, sandbox, and only then the object: whoever sees it gone knows that nothing is left. */
  async #terminate(): Promise<void> {
    const { clock, client, view, runtime, events } = this.#shared
    const deadline = Date.parse(this.#pod.metadata.deletionTimestamp ?? '')
    const graceMs = Math.max(0, Math.min((this.#pod.metadata.deletionGracePeriodSeconds ?? 30) * 1_000, deadline - clock.now()))
    this.#stopAbort = new AbortController()
    const stop = AbortSignal.any([this.#stopAbort.signal, this.#abort.signal])
    if ((view.get(this.uid)?.containers ?? []).some((container) => container.state === 'running')) {
      for (const container of containersOf(this.#pod))
        if (attemptsOf(view.get(this.uid), container.spec.name)[0]?.state === 'running')
          events.event(this.#pod, 'Normal', 'Killing', `Stopping container ${container.spec.name}`)
      try {
        await this.#stopAll(graceMs, stop)
      } catch (error) {
        if (!this.#stopAbort.signal.aborted) throw error
        this.#again = true
        return
      }
      await view.refresh()
    }
    this.#stopProbes()
    await this.#report()
    await this.#shared.volumes.unmount(this.#pod)
    await runtime.removeSandbox(this.uid)
    await view.refresh()
    this.#finished = true
    await client
      .for(Pod)
      .delete(
        { namespace: this.#pod.metadata.namespace ?? '', name: this.#pod.metadata.name },
        { gracePeriodSeconds: 0, preconditions: { uid: this.uid } },
      )
      .catch((error) => {
        if (hasReason(error, 'NotFound', 'Conflict')) return
        this.#finished = false
        throw error
      })
  }

  /** Main containers together, then sidecars in reverse order of their start. */
  async #stopAll(graceMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#shared
    const deadline = clock.monotonic() + graceMs
    const containers = containersOf(this.#pod)
    await Promise.all(
      containers.filter((container) => !container.sidecar).map((container) => this.#stopContainer(container, graceMs, signal)),
    )
    for (const container of containers.filter((other) => other.sidecar).reverse())
      await this.#stopContainer(container, Math.max(0, deadline - clock.monotonic()), signal)
  }

  async #stopContainer(container: PodContainer, graceMs: number, signal: AbortSignal): Promise<void> {
    const { clock, runtime, events } = this.#shared
    const latest = attemptsOf(this.#shared.view.get(this.uid), container.spec.name)[0]
    if (latest?.state !== 'running') return
    const deadline = clock.monotonic() + graceMs
    const preStop = container.spec.lifecycle?.preStop
    if (preStop !== undefined && graceMs > 0) {
      const timeout = new AbortController()
      const cancel = clock.after(graceMs, () => timeout.abort())
      const target = { sandbox: this.uid, container: container.spec, podIP: this.#shared.view.get(this.uid)?.ips[0] ?? '' }
      await runHook(runtime, clock, preStop, target, AbortSignal.any([timeout.signal, signal]))
        .catch((error) =>
          events.event(this.#pod, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${error instanceof Error ? error.message : error}`),
        )
        .finally(cancel)
      signal.throwIfAborted()
    }
    await runtime.stop({ sandbox: this.uid, name: container.spec.name }, Math.max(0, deadline - clock.monotonic()), signal)
    signal.throwIfAborted()
  }

  async #report(): Promise<void> {
    const status: PodStatus = podStatus(this.#observe(), this.#verdict)
    const print = JSON.stringify(status)
    if (print === this.#lastStatus) return
    const patch = statusPatch(status, this.#pod.status)
    if (patch !== undefined) {
      try {
        await this.#shared.client
          .for(Pod)
          .subresource('status')
          .patch(
            { namespace: this.#pod.metadata.namespace ?? '', name: this.#pod.metadata.name },
            { type: 'strategic', body: { metadata: { uid: this.uid }, status: patch } },
          )
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    this.#lastStatus = print
  }

  #lookAgain(at: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#shared.clock.after(Math.max(0, at - this.#shared.clock.now()), () => this.wake())
  }
}
