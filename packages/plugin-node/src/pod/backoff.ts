/** Exponential delays by key: `base` doubling to `max`; forgotten after twice `max` without a failure. */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #entries = new Map<string, { delay: number; until: number }>()

  constructor(options: { readonly baseMs: number; readonly maxMs: number }) {
    this.#baseMs = options.baseMs
    this.#maxMs = options.maxMs
  }

  /** Records a failure at `at` and returns the moment of the next try. A long success before it resets the delay. */
  next(key: string, at: number): number {
    const entry = this.#entries.get(key)
    const fresh = entry === undefined || at - entry.until > 2 * this.#maxMs
    const delay = fresh ? this.#baseMs : Math.min(entry.delay * 2, this.#maxMs)
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
