/**
 * Lets writers of one key that got in each other's way go one after the other. Whoever meets no resistance never waits here;
 * there is an entry only for keys that somebody waits for.
 */
export class TurnTaking {
  readonly #tails = new Map<string, Promise<void>>()

  /** True while somebody has or awaits a turn: whoever comes new and would get in their way goes behind them. */
  isTaken(key: string): boolean {
    return this.#tails.has(key)
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
      finish()
    }
  }
}
