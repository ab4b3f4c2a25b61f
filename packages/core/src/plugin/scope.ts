import type { Cancel, Clock } from '../clock/clock.ts'
import { withDeadline } from '../clock/deadline.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import type { Log } from '../log/log.ts'

export interface ScopeOptions {
  readonly name: string
  readonly clock: Clock
  readonly log: Log
  /** Time that each step of the stop path has. */
  readonly stopTimeoutMs: number
}

interface Step {
  readonly what: string
  readonly run: () => void | Promise<void>
}

/**
 * Everything that one plugin made. Closing it ends all of it: first the signal aborts and timers fall silent,
 * then the steps run in reverse order, each with its deadline and each although an earlier one failed.
 */
export class PluginScope {
  readonly #options: ScopeOptions
  readonly #abort = new AbortController()
  readonly #timers = new Set<Cancel>()
  readonly #sleepers = new Set<Cancel>()
  #steps: Step[] = []
  #closing: Promise<readonly unknown[]> | undefined
  /** Timers and sleeps made through it end with the scope. */
  readonly clock: Clock

  constructor(options: ScopeOptions) {
    this.#options = options
    this.clock = this.#scopedClock()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Timers, sleeps and stop steps that are alive: what a test of leaks counts. */
  get size(): number {
    return this.#timers.size + this.#sleepers.size + this.#steps.length
  }

  /**
   * Adds a step of the stop path; the function that it returns takes it off again. When the scope is closed already the step runs at once,
   * because what it ends was made too late, and this throws.
   */
  defer(what: string, run: () => void | Promise<void>): Cancel {
    const step: Step = { what, run }
    this.#steps.push(step)
    if (this.#closing !== undefined) this.#closing = this.#closing.then(async (errors) => [...errors, ...(await this.#runSteps())])
    this.#assertOpen(what)
    return () => {
      this.#steps = this.#steps.filter((other) => other !== step)
    }
  }

  after(ms: number, callback: () => void | Promise<void>): Cancel {
    this.#assertOpen('a timer')
    return this.#track(this.#timers, ms, () => void this.#guarded(callback))
  }

  /** The next turn begins `ms` after the last one has ended: turns never overlap. */
  every(ms: number, callback: () => void | Promise<void>): Cancel {
    let stopped = false
    let cancel: Cancel = () => {}
    const arm = (): void => {
      if (stopped || this.signal.aborted) return
      cancel = this.#track(this.#timers, ms, () => void this.#guarded(callback).then(arm))
    }
    arm()
    return () => {
      stopped = true
      cancel()
    }
  }

  /** What went wrong on the way, late steps included; empty when all went well. Closing twice is closing once. */
  close(): Promise<readonly unknown[]> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<readonly unknown[]> {
    this.#abort.abort(new ContinuoError('PLUGIN_STOPPED', `plugin ${this.#options.name} was stopped`))
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    const errors = await this.#runSteps()
    for (const cancel of this.#sleepers) cancel()
    this.#sleepers.clear()
    return errors
  }

  async #runSteps(): Promise<readonly unknown[]> {
    const { name, clock, stopTimeoutMs } = this.#options
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { what, run } = step
      try {
        await withDeadline(clock, stopTimeoutMs, `stopping ${what} of ${name}`, run)
      } catch (error) {
        errors.push(
          new ContinuoError(
            'PLUGIN_STOP_FAILED',
            `plugin ${name} failed to stop ${what}: ${error instanceof Error ? error.message : String(error)}`,
            { cause: error },
          ),
        )
      }
    }
    return errors
  }

  #assertOpen(what: string): void {
    if (this.signal.aborted) throw new ContinuoError('PLUGIN_STOPPED', `plugin ${this.#options.name} was stopped and cannot make ${what}`)
  }

  async #guarded(callback: () => void | Promise<void>): Promise<void> {
    try {
      await callback()
    } catch (error) {
      if (!this.signal.aborted) this.#options.log.error({ err: error }, 'timer callback failed')
    }
  }

  #track(timers: Set<Cancel>, ms: number, callback: () => void): Cancel {
    const cancel = this.#options.clock.after(ms, () => {
      timers.delete(entry)
      callback()
    })
    const entry: Cancel = () => {
      timers.delete(entry)
      cancel()
    }
    timers.add(entry)
    return entry
  }

  #scopedClock(): Clock {
    const { clock } = this.#options
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => this.#track(this.#sleepers, ms, callback),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          const settle = (finish: () => void): void => {
            timer()
            this.#sleepers.delete(ended)
            signal?.removeEventListener('abort', aborted)
            finish()
          }
          const aborted = (): void => settle(() => reject(signal?.reason))
          const ended: Cancel = () => settle(() => reject(this.signal.reason))
          const timer = clock.after(ms, () => settle(resolve))
          this.#sleepers.add(ended)
          signal?.addEventListener('abort', aborted, { once: true })
        }),
      yield: () => clock.yield(),
    }
  }
}
