const least = 0.05
const shrink = 0.8
const grow = 0.05

/**
 * What part of its seats the server can serve, learnt from its event loop: when turns of the loop take longer than they should, there are
 * too many requests in one turn, whatever the seats say. It shrinks by a factor and grows by steps, as congestion windows do. Pure but for its number.
 */
export class Capacity {
  readonly #turnMs: number
  #ratio = 1

  /** `turnMs`: how long one turn may take. */
  constructor(turnMs: number) {
    this.#turnMs = turnMs
  }

  /** Between 0.05 and 1. */
  get ratio(): number {
    return this.#ratio
  }

  /**
   * A turn of the loop took so long. True when the ratio changed. `full`: the seats of some level were what bounded it. A long turn in which
   * few requests began has another reason, such as a storm of refusals or a collection of garbage: fewer seats would not shorten it.
   */
  observe(ms: number, full: boolean): boolean {
    const before = this.#ratio
    if (ms > this.#turnMs && full) this.#ratio = Math.max(least, before * shrink)
    else if (ms < this.#turnMs / 2) this.#ratio = Math.min(1, before + grow)
    return this.#ratio !== before
  }

  /** The seats of a level that has `seats` on a healthy server: at least one. */
  of(seats: number): number {
    return Math.max(1, Math.floor(seats * this.#ratio))
  }
}
