import type { Clock, Log } from '@continuo/core'
import type { Runtime, RuntimeSandbox } from '@continuo/workload'

/**
 * What the runtime says, shared by all pods: one `list` serves everybody who asks meanwhile. Events of the runtime are hints
 * that make it ask sooner; a periodic look finds what they missed.
 */
export class RuntimeView {
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #log: Log
  readonly #changed: (uid: string) => void
  #sandboxes: ReadonlyMap<string, RuntimeSandbox> = new Map()
  #prints: ReadonlyMap<string, string> = new Map()
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(options: { readonly runtime: Runtime; readonly clock: Clock; readonly log: Log; readonly changed: (uid: string) => void }) {
    this.#runtime = options.runtime
    this.#clock = options.clock
    this.#log = options.log
    this.#changed = options.changed
  }

  get(uid: string): RuntimeSandbox | undefined {
    return this.#sandboxes.get(uid)
  }

  uids(): readonly string[] {
    return [...this.#sandboxes.keys()]
  }

  all(): readonly RuntimeSandbox[] {
    return [...this.#sandboxes.values()]
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

  /** Follows the runtime's events until the signal aborts. */
  async follow(relistMs: number, signal: AbortSignal): Promise<void> {
    const relist = async (): Promise<void> => {
      while (!signal.aborted) {
        await this.#clock.sleep(relistMs, signal).catch(() => {})
        if (!signal.aborted) await this.refresh().catch((error) => this.#log.warn({ error }, 'cannot list containers'))
      }
    }
    const events = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          for await (const _ of this.#runtime.events(signal)) await this.refresh()
        } catch (error) {
          if (!signal.aborted) this.#log.warn({ error }, 'lost the events of the runtime')
        }
        if (!signal.aborted) await this.#clock.sleep(1_000, signal).catch(() => {})
      }
    }
    await Promise.all([relist(), events()])
  }

  async #load(): Promise<void> {
    const list = await this.#runtime.list()
    const prints = new Map(list.map((sandbox) => [sandbox.uid, JSON.stringify(sandbox)]))
    const before = this.#prints
    this.#sandboxes = new Map(list.map((sandbox) => [sandbox.uid, sandbox]))
    this.#prints = prints
    for (const [uid, print] of prints) if (before.get(uid) !== print) this.#changed(uid)
    for (const uid of before.keys()) if (!prints.has(uid)) this.#changed(uid)
  }
}
