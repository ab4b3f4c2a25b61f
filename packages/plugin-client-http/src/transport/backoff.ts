import type { Clock, Random } from '@continuo/core'

const firstMs = 100
const longestMs = 5_000

/** When the next attempt to connect may be made: at once after a success, later and later after failures. */
export class Backoff {
  readonly #clock: Clock
  readonly #random: Random
  #failures = 0
  #notBefore = 0

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** Milliseconds to wait. */
  get delay(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#notBefore - this.#clock.monotonic())
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Doubles the wait, up to 5 s, with up to as much again by chance, so that many clients do not come back at once. */
  failed(): void {
    const base = Math.min(firstMs * 2 ** Math.min(this.#failures, 16), longestMs)
    this.#failures += 1
    this.#notBefore = this.#clock.monotonic() + base * (1 + this.#random.next())
  }
}
