/**
 * Lets writers of one key that got in each other's way go one after the other. Whoever meets no resistance never waits here;
 * there is an entry only for keys that somebody waits for.
 */
export class TurnTaking {
  readonly #tails = new Map<string, Promise<void>>()
  /** By collection: what its writers last waited for. Forgotten when nobody waits for anything. */
  readonly #awaited = new Map<string, string>()

  /** True while somebody has or awaits a turn: whoever comes new and would get in their way goes behind them. */
  isTaken(key: string): boolean {
    return this.#tails.has(key)
  }

  /** Notes that a writer of this collection has to wait for the key: the next will have to as well. */
  noteWait(collection: string, key: string): void {
    this.#awaited.set(collection, key)
  }

  /** The key that writers of this collection are waiting for now: whoever comes new spares an attempt that would be for nothing. */
  awaitedIn(collection: string): string | undefined {
    const key = this.#awaited.get(collection)
    return key !== undefined && this.isTaken(key) ? key : undefined
  }

  /** Runs when everybody who asked for the key before has finished. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    let finish = (): void => {}
    const tail = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#tails.set(key, tail)
    try {
      await before
      return await work()
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      if (this.#tails.size === 0) this.#awaited.clear()
      finish()
    }
  }
}
