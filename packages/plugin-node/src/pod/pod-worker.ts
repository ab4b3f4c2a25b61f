import { hasReason, isContinuoError, parseTime } from '@continuo/core'
import { Pod } from '@continuo/workload'
import { Backoff } from './backoff.ts'
import { ContainerStarter } from './container-starter.ts'
import { ContainerStopper } from './container-stopper.ts'
import {
  attemptsOf,
  type ContainerProblem,
  containersOf,
  hasEnded,
  isRunning,
  type PodObservation,
  type PodVerdict,
  type PodView,
  willRestart,
} from './model.ts'
import { isFinished, type PodAction, planPod } from './plan.ts'
import { containerTarget } from './pod-events.ts'
import { PodProbes } from './pod-probes.ts'
import { podStatus } from './status.ts'
import { StatusReporter } from './status-reporter.ts'
import { sandboxSpec } from './translate.ts'
import { graceOf, messageOf, type WorkerShared } from './worker-shared.ts'

/** When to look again after something failed that nobody will tell of. */
const retryMs = 2_000
/** Turns in which actions changed nothing that the runtime tells, before the worker pauses. */
const idleTurns = 3

/**
 * Brings one pod from what is to what shall be, one step at a time and never two at once. It is woken by changes of the pod,
 * of the runtime, and by its own timer; each turn observes afresh, so a wake-up that is lost or doubled does no harm.
 */
export class PodWorker {
  readonly uid: string
  readonly #shared: WorkerShared
  readonly #abort = new AbortController()
  /** Ends what a pod that shall run is doing when it shall run no longer: pulls, hooks, a slow restart. */
  readonly #leave = new AbortController()
  readonly #staying = AbortSignal.any([this.#abort.signal, this.#leave.signal])
  readonly #crashes = new Backoff({ baseMs: 10_000, maxMs: 300_000, firstFree: true })
  readonly #blocks = new Backoff({ baseMs: 1_000, maxMs: 30_000 })
  readonly #counted = new Map<string, number>()
  readonly #starter: ContainerStarter
  readonly #stopper: ContainerStopper
  readonly #probes: PodProbes
  readonly #reporter: StatusReporter
  #pod: PodView
  #blocked: ContainerProblem | undefined
  #verdict: PodVerdict | undefined
  /** Its deletion has stopped everything. */
  #ended = false
  /** An error that `#leave` caused is expected once. */
  #left = false
  #unmounted = false
  #idle = 0
  #refreshAt = 0
  #turn: Promise<void> | undefined
  #again = false
  #lookAt: number | undefined
  #cancelTimer: (() => void) | undefined
  #stopAbort: AbortController | undefined
  #finished = false

  constructor(pod: PodView, shared: WorkerShared) {
    this.#pod = pod
    this.uid = pod.metadata.uid ?? ''
    this.#shared = shared
    this.#starter = new ContainerStarter(this.uid, shared)
    this.#stopper = new ContainerStopper(this.uid, shared)
    this.#probes = new PodProbes(this.uid, shared, () => this.wake())
    this.#reporter = new StatusReporter(shared)
    if (pod.metadata.deletionTimestamp !== undefined) this.#leave.abort()
  }

  /** True once nothing of the pod is left on this node. */
  get finished(): boolean {
    return this.#finished
  }

  /** The newest version that is known: of the informer, or of our own last write. */
  get pod(): PodView {
    return this.#pod
  }

  update(pod: PodView): void {
    this.#adopt(pod)
    this.wake()
  }

  wake(): void {
    if (this.#finished || this.#abort.signal.aborted) return
    this.#again = true
    this.#turn ??= this.#run().finally(() => {
      this.#turn = undefined
      // Woken between the last look and now.
      if (this.#again) this.wake()
    })
  }

  /** Lets go of the pod without touching its containers: the agent is stopping, or the pod is gone. */
  async release(): Promise<void> {
    this.#abort.abort()
    this.#stopAbort?.abort()
    this.#cancelTimer?.()
    this.#probes.clear()
    await this.#turn
  }

  #adopt(pod: PodView): void {
    if (Number(pod.metadata.resourceVersion) < Number(this.#pod.metadata.resourceVersion)) return
    const { deletionGracePeriodSeconds, deletionTimestamp } = this.#pod.metadata
    const sooner =
      pod.metadata.deletionGracePeriodSeconds !== deletionGracePeriodSeconds || pod.metadata.deletionTimestamp !== deletionTimestamp
    this.#pod = pod
    if (pod.metadata.deletionTimestamp === undefined || !sooner) return
    this.#probes.stopAll()
    this.#leave.abort()
    this.#stopAbort?.abort()
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#abort.signal.aborted && !this.#finished) {
      this.#again = false
      this.#cancelTimer?.()
      this.#lookAt = undefined
      try {
        if (!this.#shared.view.loaded) this.#lookAgain(this.#shared.clock.now() + 1_000)
        else if (this.#pod.metadata.deletionTimestamp !== undefined) await this.#terminate()
        else await this.#sync()
      } catch (error) {
        if (this.#abort.signal.aborted) return
        if (this.#leave.signal.aborted && !this.#left) this.#again = true
        else {
          this.#shared.log.warn({ pod: this.#name, error }, 'cannot sync pod')
          this.#lookAgain(this.#shared.clock.now() + retryMs)
        }
        this.#left = this.#leave.signal.aborted
      }
      this.#arm()
    }
  }

  get #name(): string {
    return `${this.#pod.metadata.namespace}/${this.#pod.metadata.name}`
  }

  #observe(): PodObservation {
    const until = (name: string): number | undefined => this.#crashes.until(name)
    return {
      pod: this.#pod,
      sandbox: this.#shared.view.get(this.uid),
      now: this.#shared.clock.now(),
      backoff: new Map(
        containersOf(this.#pod).flatMap(({ spec: { name } }): [string, number][] =>
          until(name) === undefined ? [] : [[name, until(name) as number]],
        ),
      ),
      problems: this.#starter.problems,
      probes: this.#probes.states(),
      blocked: this.#blocked,
      nodeIPs: this.#shared.nodeIPs(),
      verdict: this.#verdict,
      ended: this.#ended,
    }
  }

  async #sync(): Promise<void> {
    const { view, clock } = this.#shared
    this.#starter.follow(containersOf(this.#pod))
    this.#countCrashes()
    this.#probes.follow(this.#pod)
    this.#checkDeadline()
    const plan = planPod(this.#observe())
    const told = await this.#report()
    const signal = this.#staying
    const before = view.print(this.uid)
    for (const action of plan.actions) await this.#carryOut(action, signal)
    if (plan.lookAgainAt !== undefined) this.#lookAgain(plan.lookAgainAt)
    if (plan.actions.length > 0) {
      await view.refresh()
      this.#idle = view.print(this.uid) === before ? this.#idle + 1 : 0
      if (this.#idle < idleTurns) this.#again = true
      else this.#lookAgain(clock.now() + retryMs)
      return
    }
    this.#idle = 0
    const seen = this.#observe()
    if (isFinished(seen)) {
      if (told && !isRunning(seen.sandbox)) await this.#unmount()
    } else await this.#refreshVolumes()
  }

  async #carryOut(action: PodAction, signal: AbortSignal): Promise<void> {
    const { runtime, events } = this.#shared
    switch (action.type) {
      case 'sandbox':
        return this.#makeSandbox(signal)
      case 'removeSandbox':
        this.#probes.clear()
        events.event(this.#pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
        return runtime.removeSandbox(this.uid)
      case 'start':
        return this.#starter.start(this.#pod, action.container, action.attempt, signal)
      case 'kill': {
        const grace = action.gracePeriodSeconds === undefined ? graceOf(this.#pod) : action.gracePeriodSeconds * 1_000
        events.event(containerTarget(this.#pod, action.container), 'Normal', 'Killing', action.message)
        this.#probes.stop(action.container.spec.name)
        return this.#stopper.stop(this.#pod, action.container, grace, signal)
      }
      case 'stopAll':
        this.#probes.stopAll()
        return this.#stopper.stopAll(this.#pod, graceOf(this.#pod), signal)
      case 'prune':
        return runtime.removeContainer({ sandbox: this.uid, name: action.container.spec.name, attempt: action.attempt })
    }
  }

  async #makeSandbox(signal: AbortSignal): Promise<void> {
    try {
      await this.#shared.volumes.mount(this.#pod, this.#shared.volumeObjects(this.#pod))
      this.#unmounted = false
      const { dns, problems } = this.#shared.dns(this.#pod)
      for (const { reason, message } of problems) this.#shared.events.event(this.#pod, 'Warning', reason, message)
      await this.#shared.runtime.ensureSandbox(sandboxSpec(this.#pod, dns), signal)
      this.#blocked = undefined
      this.#blocks.reset('sandbox')
    } catch (error) {
      signal.throwIfAborted()
      const reason = isContinuoError(error) && error.code === 'NODE_VOLUME' ? 'FailedMount' : 'FailedCreatePodSandBox'
      const message = messageOf(error)
      this.#shared.events.event(this.#pod, 'Warning', reason, message)
      this.#blocked = { reason, message, retryAt: this.#blocks.next('sandbox', this.#shared.clock.now()) }
    }
  }

  async #refreshVolumes(): Promise<void> {
    const { volumes, clock, refreshMs, view, events } = this.#shared
    if (view.get(this.uid) === undefined || !volumes.refreshes(this.#pod)) return
    if (this.#refreshAt <= clock.now()) {
      this.#refreshAt = clock.now() + refreshMs
      await volumes.mount(this.#pod, this.#shared.volumeObjects(this.#pod)).catch((error) => {
        events.event(this.#pod, 'Warning', 'FailedMount', messageOf(error))
      })
    }
    this.#lookAgain(this.#refreshAt)
  }

  async #unmount(): Promise<void> {
    if (this.#unmounted || (this.#pod.spec?.volumes ?? []).length === 0) return
    await this.#shared.volumes.unmount(this.uid)
    this.#unmounted = true
  }

  /** Each attempt that ended is counted once: its restart waits with back-off. */
  #countCrashes(): void {
    const { clock, view, events } = this.#shared
    for (const container of containersOf(this.#pod)) {
      const { name } = container.spec
      const latest = attemptsOf(view.get(this.uid), name)[0]
      if (latest === undefined || !hasEnded(latest) || (this.#counted.get(name) ?? -1) >= latest.attempt) continue
      this.#counted.set(name, latest.attempt)
      if (!willRestart(this.#pod, container, latest)) continue
      const until = this.#crashes.next(name, latest.finishedAt ?? clock.now())
      if (until <= clock.now()) continue
      const { metadata } = this.#pod
      const message = `Back-off restarting failed container ${name} in pod ${metadata.name}_${metadata.namespace}(${this.uid})`
      events.event(containerTarget(this.#pod, container), 'Warning', 'BackOff', message)
    }
  }

  #checkDeadline(): void {
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    const started = this.#pod.status?.startTime
    if (seconds === undefined || started === undefined || isFinished(this.#observe())) return
    const at = parseTime(started) + seconds * 1_000
    if (at > this.#shared.clock.now()) {
      this.#lookAgain(at)
      return
    }
    this.#verdict = {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    }
    this.#shared.events.event(this.#pod, 'Normal', 'DeadlineExceeded', this.#verdict.message)
  }

  /** Grace, SIGKILL, last status, volumes, sandbox, and only then the object: whoever sees it gone knows that nothing is left. */
  async #terminate(): Promise<void> {
    const { clock, client, view, runtime, events } = this.#shared
    this.#probes.stopAll()
    await view.refresh()
    const { deletionTimestamp = '', deletionGracePeriodSeconds = 30, namespace = '', name } = this.#pod.metadata
    const graceMs = Math.max(0, Math.min(deletionGracePeriodSeconds * 1_000, parseTime(deletionTimestamp) - clock.now()))
    this.#stopAbort = new AbortController()
    if (isRunning(view.get(this.uid))) {
      for (const container of containersOf(this.#pod))
        if (attemptsOf(view.get(this.uid), container.spec.name)[0]?.state === 'running')
          events.event(containerTarget(this.#pod, container), 'Normal', 'Killing', `Stopping container ${container.spec.name}`)
      try {
        await this.#stopper.stopAll(this.#pod, graceMs, AbortSignal.any([this.#stopAbort.signal, this.#abort.signal]))
      } catch (error) {
        if (!this.#stopAbort.signal.aborted) throw error
        // The grace period was shortened: once more, with what is left of it.
        this.#again = true
        return
      }
      await view.refresh()
    }
    this.#ended = true
    this.#adopt(await this.#reporter.report(this.#pod, podStatus(this.#observe())))
    await this.#unmount()
    await runtime.removeSandbox(this.uid)
    await view.refresh()
    this.#probes.clear()
    this.#finished = true
    await client
      .for(Pod)
      .delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid: this.uid } })
      .catch((error) => {
        if (hasReason(error, 'NotFound', 'Conflict')) return
        this.#finished = false
        throw error
      })
  }

  /** Resolves false when the API did not take it: the pod goes on without, and it is tried again. */
  async #report(): Promise<boolean> {
    try {
      this.#adopt(await this.#reporter.report(this.#pod, podStatus(this.#observe())))
      return true
    } catch (error) {
      this.#shared.log.warn({ pod: this.#name, error }, 'cannot report the status of a pod, trying again')
      this.#lookAgain(this.#shared.clock.now() + retryMs)
      return false
    }
  }

  /** The earliest moment that a turn asks for counts. */
  #lookAgain(at: number): void {
    this.#lookAt = Math.min(this.#lookAt ?? Number.POSITIVE_INFINITY, at)
  }

  #arm(): void {
    if (this.#lookAt === undefined || this.#again || this.#abort.signal.aborted) return
    this.#cancelTimer = this.#shared.clock.after(Math.max(0, this.#lookAt - this.#shared.clock.now()), () => this.wake())
  }
}
