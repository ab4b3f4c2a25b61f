const firstDelayMs = 100
const longestDelayMs = 30_000

/** Keys that wait for their reconcile, each once: one at a time, and again after a failure, later each time. */
export class WorkQueue {
  readonly #reconcile: (key: string) => Promise<void>
  readonly #waiting = new Set<string>()
  readonly #failures = new Map<string, number>()
  #working = false

  constructor(reconcile: (key: string) => Promise<void>) {
    this.#reconcile = reconcile
  }

  add(key: string): void {
    this.#waiting.add(key)
    if (!this.#working) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      try {
        await this.#reconcile(key)
        this.#failures.delete(key)
      } catch (error) {
        const failures = this.#failures.get(key) ?? 0
        const delay = Math.min(firstDelayMs * 2 ** failures, longestDelayMs)
        this.#failures.set(key, failures + 1)
        console.error(`${key}: ${(error as Error).message.split('\n', 1)[0]}; again in ${delay} ms`)
        setTimeout(() => this.add(key), delay)
      }
    }
    this.#working = false
  }
}
