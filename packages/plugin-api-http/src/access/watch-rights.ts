import { type ApiError, type Clock, isApiError } from '@continuo/core'

interface Held {
  readonly ask: () => void | Promise<void>
  readonly revoked: (error: ApiError) => void
}

/** The event loop gets its turn after so many questions. */
const stride = 64

/**
 * The rights by which watches are open. They were looked at when each began; a watch may last for hours, so they are looked at again
 * from time to time, all in one go: events themselves cost nothing more. As many are held as watches are open, which has its own bound.
 */
export class WatchRights {
  readonly #clock: Clock
  readonly #held = new Set<Held>()
  #isAsking = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `ask` throws when the right is gone; `revoked` is then called once, and the right no longer held. */
  hold(ask: Held['ask'], revoked: Held['revoked']): Disposable {
    const held: Held = { ask, revoked }
    this.#held.add(held)
    return { [Symbol.dispose]: () => void this.#held.delete(held) }
  }

  /** Asks about every right that is held. Does nothing while a round is still under way. */
  async recheck(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      let count = 0
      for (const held of [...this.#held]) {
        if (++count % stride === 0) await this.#clock.yield()
        if (this.#held.has(held)) await this.#recheckOne(held)
      }
    } finally {
      this.#isAsking = false
    }
  }

  async #recheckOne(held: Held): Promise<void> {
    try {
      const answer = held.ask()
      if (answer !== undefined) await answer
    } catch (error) {
      // Only a clear answer ends a watch: an authenticator or authorizer that fails is asked again in the next round.
      if (isApiError(error) && (error.status === 403 || error.status === 401) && this.#held.delete(held)) held.revoked(error)
    }
  }
}
