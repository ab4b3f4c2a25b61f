import type { Clock, Log } from '@continuo/core'
import type { Runtime, RuntimeSandbox } from '@continuo/workload'

export interface RuntimeViewOptions {
  readonly runtime: Runtime
  readonly clock: Clock
  readonly log: Log
  /** Told of each sandbox that came, went or changed. */
  changed(uid: string): void
  /** Told after each periodic look. */
  looked(): void
}

/**
 * What the runtime says, shared by all pods: one `list` serves everybody who asks meanwhile. Events of the runtime are hints
 * that make it ask sooner; a periodic look finds what they missed.
 */
export class RuntimeView {
  readonly #options: RuntimeViewOptions
  #sandboxes: ReadonlyMap<string, RuntimeSandbox> = new Map()
  #prints: ReadonlyMap<string, string> = new Map()
  #loaded = false
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(options: RuntimeViewOptions) {
    this.#options = options
  }

  /** False until the runtime has answered once: until then nothing is known, which is not the same as nothing being there. */
  get loaded(): boolean {
    return this.#loaded
  }

  get(uid: string): RuntimeSandbox | undefined {
    return this.#sandboxes.get(uid)
  }

  all(): readonly RuntimeSandbox[] {
    return [...this.#sandboxes.values()]
  }

  /** Equal texts are equal sandboxes; undefined when there is none. */
  print(uid: string): string | undefined {
    return this.#prints.get(uid)
  }

  /** Resolves when a `list` that began after this call has been taken over. */
  refresh(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#load().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.refresh()
      })
    return this.#next
  }

  /** Follows the runtime until the signal aborts. */
  async follow(relistMs: number, signal: AbortSignal): Promise<void> {
    const { runtime, clock, log, looked } = this.#options
    const look = (): Promise<void> => this.refresh().catch((error) => log.warn({ error }, 'cannot list containers'))
    const relist = async (): Promise<void> => {
      while (!signal.aborted) {
        await clock.sleep(relistMs, signal).catch(() => {})
        if (signal.aborted) return
        await look()
        looked()
      }
    }
    const events = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          // Not awaited: a burst of events is answered by the look that is under way and one more.
          for await (const _ of runtime.events(signal)) void look()
        } catch (error) {
          if (!signal.aborted) log.warn({ error }, 'lost the events of the runtime')
        }
        if (!signal.aborted) await clock.sleep(1_000, signal).catch(() => {})
      }
    }
    await Promise.all([relist(), events()])
  }

  async #load(): Promise<void> {
    const list = await this.#options.runtime.list()
    const prints = new Map(list.map((sandbox) => [sandbox.uid, JSON.stringify(sandbox)]))
    const before = this.#prints
    this.#sandboxes = new Map(list.map((sandbox) => [sandbox.uid, sandbox]))
    this.#prints = prints
    this.#loaded = true
    for (const [uid, print] of prints) if (before.get(uid) !== print) this.#options.changed(uid)
    for (const uid of before.keys()) if (!prints.has(uid)) this.#options.changed(uid)
  }
}
