import type { Clock } from '@continuo/core'

export interface TokenAsked {
  readonly audience?: string
  readonly expirationSeconds: number
}

/** Share of a token's life after which it is replaced. */
const usableShare = 0.8
const longestUseMs = 24 * 3_600_000
const maxTokens = 10_000

/** Tokens that are mounted into pods, each asked for once and again only when most of its life is over. Bounded: 10,000 tokens. */
export class PodTokens<P> {
  readonly #clock: Clock
  readonly #request: (pod: P, asked: TokenAsked) => Promise<string>
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>()

  constructor(clock: Clock, request: (pod: P, asked: TokenAsked) => Promise<string>) {
    this.#clock = clock
    this.#request = request
  }

  async token(uid: string, pod: P, asked: TokenAsked): Promise<string> {
    const key = `${uid}/${asked.expirationSeconds}/${asked.audience ?? ''}`
    const known = this.#tokens.get(key)
    const now = this.#clock.now()
    if (known !== undefined && known.until > now) return known.token
    try {
      const token = await this.#request(pod, asked)
      this.#tokens.delete(key)
      this.#tokens.set(key, { token, until: now + Math.min(asked.expirationSeconds * 1_000 * usableShare, longestUseMs) })
      if (this.#tokens.size > maxTokens) this.#tokens.delete(this.#tokens.keys().next().value as string)
      return token
    } catch (error) {
      // An old token is good for its last fifth while the API cannot be reached.
      if (known !== undefined && known.until + asked.expirationSeconds * 1_000 * (1 - usableShare) > now) return known.token
      throw error
    }
  }
}
