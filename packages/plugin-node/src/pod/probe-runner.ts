import type { Cancel, Clock } from '@continuo/core'
import type { ProbeResult, Prober, ProbeTarget } from '@continuo/workload'
import type { ContainerView, ProbeState } from './model.ts'

type ProbeSpec = NonNullable<ContainerView['livenessProbe']>
type ProbeName = 'startup' | 'liveness' | 'readiness'

export interface ProbeRunnerOptions {
  readonly container: ContainerView
  readonly target: ProbeTarget
  readonly clock: Clock
  /** When the attempt began: wall milliseconds. The initial delay counts from there. */
  readonly startedAt: number
  /** What was known of this attempt before the agent was restarted: it stays until a probe says otherwise. */
  readonly before?: { readonly started: boolean; readonly ready: boolean }
  prober(handler: string): Prober | undefined
  changed(): void
  /** Told of each failed attempt, for events. */
  failed(probe: ProbeName, message: string): void
}

/** How long after its timeout a probe may take to say what it saw. */
const patienceMs = 1_000

const handlerNames = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const

/**
 * Runs the probes of one running container. The startup probe runs first and alone; liveness and readiness begin once it
 * has succeeded. Thresholds count consecutive results; `unknown` counts as neither. Make a new one for each attempt.
 */
export class ProbeRunner {
  readonly #options: ProbeRunnerOptions
  readonly #cancels = new Map<ProbeName, Cancel>()
  readonly #abort = new AbortController()
  #started: boolean
  #ready: boolean
  #failed: ProbeState['failed']

  constructor(options: ProbeRunnerOptions) {
    this.#options = options
    this.#started = options.container.startupProbe === undefined || options.before?.started === true
    this.#ready = options.container.readinessProbe === undefined || options.before?.ready === true
  }

  get state(): ProbeState {
    return { started: this.#started, ready: this.#started && this.#ready, failed: this.#failed }
  }

  start(): void {
    if (this.#started) this.#startOthers()
    else this.#loop('startup', this.#options.container.startupProbe as ProbeSpec)
  }

  stop(): void {
    this.#abort.abort()
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }

  #startOthers(): void {
    const { livenessProbe, readinessProbe } = this.#options.container
    if (livenessProbe !== undefined) this.#loop('liveness', livenessProbe)
    if (readinessProbe !== undefined) this.#loop('readiness', readinessProbe)
  }

  #loop(name: ProbeName, spec: ProbeSpec): void {
    let successes = 0
    let failures = 0
    const again = (ms: number): void => {
      if (!this.#abort.signal.aborted)
        this.#cancels.set(
          name,
          this.#options.clock.after(ms, () => void attempt()),
        )
    }
    const attempt = async (): Promise<void> => {
      const result = await this.#attempt(spec)
      if (this.#abort.signal.aborted) return
      if (result.outcome === 'success') {
        failures = 0
        if (++successes >= (name === 'readiness' ? (spec.successThreshold ?? 1) : 1)) this.#succeeded(name)
      } else if (result.outcome === 'failure') {
        successes = 0
        this.#options.failed(name, result.message)
        if (++failures >= (spec.failureThreshold ?? 3)) this.#gaveUp(name, spec, result)
      }
      if (name === 'startup' && this.#started) this.#startOthers()
      else if (this.#failed === undefined) again((spec.periodSeconds ?? 10) * 1_000)
    }
    const { clock, startedAt } = this.#options
    again(Math.max(0, startedAt + (spec.initialDelaySeconds ?? 0) * 1_000 - clock.now()))
  }

  async #attempt(spec: ProbeSpec): Promise<ProbeResult> {
    const name = handlerNames.find((handler) => spec[handler] !== undefined)
    const prober = name === undefined ? undefined : this.#options.prober(name)
    if (name === undefined || prober === undefined)
      return { outcome: 'unknown', message: `no prober for ${name ?? 'an empty probe'} is composed into this node` }
    const timeout = new AbortController()
    let cancel = (): void => {}
    const late = new Promise<ProbeResult>((resolve) => {
      cancel = this.#options.clock.after((spec.timeoutSeconds ?? 1) * 1_000, () => {
        timeout.abort()
        // The prober knows best what took too long; one that does not answer even now is not waited for.
        cancel = this.#options.clock.after(patienceMs, () => resolve({ outcome: 'failure', message: 'context deadline exceeded' }))
      })
    })
    try {
      const handler = spec[name] as unknown as Record<string, unknown>
      const signal = AbortSignal.any([timeout.signal, this.#abort.signal])
      return await Promise.race([prober.run({ ...this.#options.target, handler }, signal), late])
    } catch (error) {
      return { outcome: 'unknown', message: error instanceof Error ? error.message : String(error) }
    } finally {
      cancel()
    }
  }

  #succeeded(name: ProbeName): void {
    if (name === 'startup' && !this.#started) {
      this.#started = true
      this.#options.changed()
    } else if (name === 'readiness' && !this.#ready) {
      this.#ready = true
      this.#options.changed()
    }
  }

  #gaveUp(name: ProbeName, spec: ProbeSpec, result: ProbeResult): void {
    if (name === 'readiness') {
      if (this.#ready) {
        this.#ready = false
        this.#options.changed()
      }
      return
    }
    this.#failed = { probe: name, message: result.message, gracePeriodSeconds: spec.terminationGracePeriodSeconds }
    this.#options.changed()
  }
}
