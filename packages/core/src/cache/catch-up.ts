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

/** Resolves when the store has told its head. */
type Question = Promise<{ readonly reached: Promise<void> }>

/**
 * Answers "has the cache all that was acknowledged before now?". Callers share one question to the store, but never
 * one that was put before they asked.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  #asking: Question | undefined
  #next: Question | undefined
  #fence: Promise<void> | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** Nothing to wait for is told without a promise: most reads are such. */
  caughtUp(signal?: AbortSignal): Promise<void> | undefined {
    if (this.#asking !== undefined) return this.#wait(this.#nextQuestion(this.#asking), signal)
    const head = this.#head()
    if (typeof head === 'number' && this.#options.position.revision >= head) return undefined
    return this.#wait(this.#begin(head), signal)
  }

  async #wait(question: Question, signal: AbortSignal | undefined): Promise<void> {
    const { reached } = await abortable(question, signal)
    await abortable(reached, signal)
  }

  #begin(head: Promise<number> | number): Question {
    this.#asking = this.#ask(head).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  #nextQuestion(asking: Question): Question {
    this.#next ??= asking.then(ignore, ignore).then(() => {
      this.#next = undefined
      return this.#asking === undefined ? this.#begin(this.#head()) : this.#nextQuestion(this.#asking)
    })
    return this.#next
  }

  #head(): Promise<number> | number {
    try {
      return this.#options.store.head()
    } catch (cause) {
      return Promise.reject(cause)
    }
  }

  async #ask(asked: Promise<number> | number): Question {
    let head: number
    try {
      head = await asked
    } catch (cause) {
      throw isStoreError(cause, 'STORE_UNAVAILABLE')
        ? cause
        : new StoreError('STORE_UNAVAILABLE', 'the store did not tell its revision', { cause })
    }
    if (this.#options.position.revision >= head) return { reached: Promise.resolve() }
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
