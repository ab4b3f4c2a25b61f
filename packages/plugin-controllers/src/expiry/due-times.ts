/** When keys fall due. Holds each key once; taking out what is due costs a scan only when something is. */
export class DueTimes {
  readonly #times = new Map<string, number>()
  /** No key is due before. */
  #earliest = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#times.size
  }

  set(key: string, at: number | undefined): void {
    if (at === undefined) this.#times.delete(key)
    else {
      this.#times.set(key, at)
      if (at < this.#earliest) this.#earliest = at
    }
  }

  delete(key: string): void {
    this.#times.delete(key)
  }

  /** Takes out up to `limit` keys that are due. */
  take(now: number, limit: number): readonly string[] {
    if (now < this.#earliest) return []
    const due: string[] = []
    let earliest = Number.POSITIVE_INFINITY
    for (const [key, at] of this.#times) {
      if (at <= now && due.length < limit) due.push(key)
      else if (at < earliest) earliest = at
    }
    for (const key of due) this.#times.delete(key)
    this.#earliest = earliest
    return due
  }
}
