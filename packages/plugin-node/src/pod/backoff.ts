/**
 * Exponential delays by key: `base` doubling to `max`; forgotten after twice `max` without a failure.
 * With `firstFree` the first failure costs nothing, as for containers: the first restart follows at once.
 */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #firstFree: boolean
  readonly #entries = new Map<string, { delay: number; until: number }>()

  constructor(options: { readonly baseMs: number; readonly maxMs: number; readonly firstFree?: boolean }) {
    this.#baseMs = options.baseMs
    this.#maxMs = options.maxMs
    this.#firstFree = options.firstFree ?? false
  }

  /** Records a failure at `at` and returns the moment of the next try. A long success before it resets the delay. */
  next(key: string, at: number): number {
    const entry = this.#entries.get(key)
    const fresh = entry === undefined || at - entry.until > 2 * this.#maxMs
    const first = this.#firstFree ? 0 : this.#baseMs
    const delay = fresh ? first : Math.min(Math.max(entry.delay * 2, this.#baseMs), this.#maxMs)
    this.#entries.set(key, { delay, until: at + delay })
    return at + delay
  }

  until(key: string): number | undefined {
    return this.#entries.get(key)?.until
  }

  reset(key: string): void {
    this.#entries.delete(key)
  }
}
