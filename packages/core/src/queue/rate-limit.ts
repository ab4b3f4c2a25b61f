import type { Clock } from '../clock/clock.ts'

export interface RateLimitOptions {
  /** Delay of the first retry of a key; doubles with each further one. Default 5 ms. */
  readonly baseMs?: number
  /** Default 1,000 s. */
  readonly maxMs?: number
  /** Retries per second of all keys together. Default 10. */
  readonly perSecond?: number
  /** Retries of all keys that may come at once. Default 100. */
  readonly burst?: number
}

/** How long a key waits until it is tried again: the longer of its own back-off and the queue's token bucket. */
export class RateLimit {
  readonly #clock: Clock
  readonly #options: Required<RateLimitOptions>
  readonly #failures = new Map<string, number>()
  #tokens: number
  #refilled: number

  constructor(clock: Clock, options: RateLimitOptions = {}) {
    this.#clock = clock
    this.#options = {
      baseMs: 5,
      maxMs: 1_000_000,
      perSecond: 10,
      burst: 100,
      ...options,
    }
    this.#tokens = this.#options.burst
    this.#refilled = clock.monotonic()
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** Counts a failure and says how many milliseconds to wait. */
  next(key: string): number {
    const failures = this.failures(key)
    this.#failures.set(key, failures + 1)
    const { baseMs, maxMs } = this.#options
    return Math.max(Math.min(baseMs * 2 ** Math.min(failures, 60), maxMs), this.#reserve())
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Takes a token, into debt if need be: the debt is the wait. */
  #reserve(): number {
    const { perSecond, burst } = this.#options
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#refilled) / 1_000) * perSecond) - 1
    this.#refilled = now
    return this.#tokens >= 0 ? 0 : (-this.#tokens / perSecond) * 1_000
  }
}
