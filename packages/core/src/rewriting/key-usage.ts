/**
 * Which keys are still needed to read what the store holds. A key is over when no object lies under it, nothing writes with it, and the
 * history in which objects did is compacted.
 */
export class KeyUsage {
  /** Revision at which a key was first seen to be unused. */
  readonly #unusedSince = new Map<string, number>()
  readonly #told = new Set<string>()

  constructor(known: readonly string[] = []) {
    for (const key of known) this.#unusedSince.set(key, Number.POSITIVE_INFINITY)
  }

  get keys(): readonly string[] {
    return [...this.#unusedSince.keys()]
  }

  /** Takes what a whole scan found: `counts` are objects by key, `writing` the keys that new values get. */
  scanned(counts: ReadonlyMap<string, number>, writing: ReadonlySet<string>, revision: number): void {
    for (const key of [...counts.keys(), ...writing]) {
      this.#unusedSince.set(key, Number.POSITIVE_INFINITY)
      this.#told.delete(key)
    }
    for (const [key, since] of this.#unusedSince) {
      if (!counts.has(key) && !writing.has(key) && since === Number.POSITIVE_INFINITY) this.#unusedSince.set(key, revision)
    }
  }

  /** Keys that are over now and of which it was not said yet. */
  takeRetired(compactedRevision: number): readonly string[] {
    const retired = [...this.#unusedSince].filter(([key, since]) => since <= compactedRevision && !this.#told.has(key)).map(([key]) => key)
    for (const key of retired) this.#told.add(key)
    return retired
  }
}
