/** Something derived that can be made again. */
export interface Derived {
  /** Lets go of what was derived. */
  drop(): void
}

/**
 * Keeps what was derived from stored bytes (decoded objects, encodings) within a budget of bytes: the least recently used goes first.
 * It counts estimates; dropping costs only the time to derive again.
 */
export class HotSet {
  readonly #budget: number
  readonly #bytes = new Map<Derived, number>()
  #total = 0

  constructor(budgetBytes: number) {
    this.#budget = budgetBytes
  }

  get totalBytes(): number {
    return this.#total
  }

  /** Notes that `derived` was used and has grown by so many bytes. */
  touch(derived: Derived, grownBy: number): void {
    const before = this.#bytes.get(derived)
    if (before !== undefined) this.#bytes.delete(derived)
    this.#bytes.set(derived, (before ?? 0) + grownBy)
    this.#total += grownBy
    if (this.#total > this.#budget) this.#evict(derived)
  }

  #evict(latest: Derived): void {
    for (const [derived, bytes] of this.#bytes) {
      if (this.#total <= this.#budget) return
      if (derived === latest && this.#bytes.size > 1) continue
      this.#bytes.delete(derived)
      this.#total -= bytes
      derived.drop()
    }
  }
}
