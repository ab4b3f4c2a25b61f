/** Lets at most `limit` tasks run at a time; `enter` resolves when there is room. */
export class Gate {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Starts the task as soon as there is room and resolves then, not when it ends. The task must not reject. */
  async enter(task: () => Promise<void>): Promise<void> {
    while (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    void task().finally(() => {
      this.#running--
      this.#waiting.shift()?.()
    })
  }

  get running(): number {
    return this.#running
  }
}

/** Wakes a loop that has nothing to do. */
export class Bell {
  #ring: (() => void) | undefined
  #rung = false

  ring(): void {
    this.#rung = true
    this.#ring?.()
  }

  /** Resolves at the next ring, at once when it rang since the last wait, after `ms` if given, or when the signal aborts. */
  async wait(signal: AbortSignal, after: (ms: number, callback: () => void) => () => void, ms: number | undefined): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#ring = resolve
      const abort = (): void => resolve()
      signal.addEventListener('abort', abort)
      const cancel = ms === undefined ? undefined : after(ms, resolve)
      await promise
      cancel?.()
      signal.removeEventListener('abort', abort)
      this.#ring = undefined
    }
    this.#rung = false
  }
}
