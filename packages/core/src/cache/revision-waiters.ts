interface Waiter {
  readonly revision: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** Those who wait for a revision, in its order: an advance costs only whom it wakes. */
export class RevisionWaiters {
  #waiters: Waiter[] = []

  /** Resolves when `advance` is called with at least this revision. */
  async wait(revision: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter = { revision, resolve, reject }
    const abort = (): void => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.#insert(waiter)
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  advance(revision: number): void {
    if (this.#waiters.length === 0 || (this.#waiters[0] as Waiter).revision > revision) return
    const behind = this.#waiters.findIndex((waiter) => waiter.revision > revision)
    const woken = this.#waiters.splice(0, behind === -1 ? this.#waiters.length : behind)
    for (const { resolve } of woken) resolve()
  }

  fail(reason: unknown): void {
    for (const { reject } of this.#waiters.splice(0)) reject(reason)
  }

  /** Most wait for the newest revision, so the place is sought from the end. */
  #insert(waiter: Waiter): void {
    let index = this.#waiters.length
    while (index > 0 && (this.#waiters[index - 1] as Waiter).revision > waiter.revision) index--
    this.#waiters.splice(index, 0, waiter)
  }
}
