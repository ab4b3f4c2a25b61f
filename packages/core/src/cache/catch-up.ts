import type { Clock } from '../clock/clock.ts'
import type { Store } from '../store/store.ts'
import { isStoreError, StoreError } from '../store/store-error.ts'
import { abortable } from './abortable.ts'

/** The key whose write shows, in a store with other writers, that the watch is not merely silent. */
export const fenceKey = '/meta/fence'

/** How long a store with other writers may stay silent behind its head before a fence is written. */
const fenceDelay = 200

export interface CatchUpOptions {
  readonly store: Store
  readonly clock: Clock
  readonly timeout: number
  readonly position: { readonly revision: number; reached(revision: number, signal?: AbortSignal): Promise<void> }
  /** The watch did not deliver in time: perhaps it is dead. */
  onStuck(): void
}

/**
 * Answers "has the cache all that was acknowledged before now?". Callers share one question to the store, but never
 * one that was put before they asked.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  #asking: Promise<{ reached: Promise<void> }> | undefined
  #next: Promise<{ reached: Promise<void> }> | undefined
  #fence: Promise<void> | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  async caughtUp(signal?: AbortSignal): Promise<void> {
    const { reached } = await abortable(this.#question(), signal)
    await abortable(reached, signal)
  }

  #question(): Promise<{ reached: Promise<void> }> {
    if (this.#asking === undefined) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined
      })
      return this.#asking
    }
    this.#next ??= this.#asking.then(ignore, ignore).then(() => {
      this.#next = undefined
      return this.#question()
    })
    return this.#next
  }

  async #ask(): Promise<{ reached: Promise<void> }> {
    const { store, position } = this.#options
    let head: number
    try {
      head = await store.head()
    } catch (cause) {
      throw isStoreError(cause, 'STORE_UNAVAILABLE')
        ? cause
        : new StoreError('STORE_UNAVAILABLE', 'the store did not tell its revision', { cause })
    }
    if (position.revision >= head) return { reached: Promise.resolve() }
    const reached = this.#reach(head)
    reached.catch(ignore)
    return { reached }
  }

  async #reach(head: number): Promise<void> {
    const { clock, position, store, timeout } = this.#options
    const waiting = new AbortController()
    const cancelTimeout = clock.after(timeout, () => {
      this.#options.onStuck()
      const message = `the watch cache stands at revision ${position.revision} and did not reach ${head} within ${timeout} ms`
      waiting.abort(new StoreError('STORE_UNAVAILABLE', message))
    })
    const cancelFence = store.features.soleWriter ? ignore : clock.after(fenceDelay, () => this.#writeFence())
    try {
      await position.reached(head, waiting.signal)
    } finally {
      cancelTimeout()
      cancelFence()
    }
  }

  /** A failure needs no answer: whoever waits for the fence runs into the timeout. */
  #writeFence(): void {
    const write = { type: 'put', key: fenceKey, value: new Uint8Array(0) } as const
    this.#fence ??= this.#options.store
      .commit({ conditions: [], writes: [write] })
      .then(ignore, ignore)
      .finally(() => {
        this.#fence = undefined
      })
  }
}

const ignore = (): void => {}
