interface Bucket {
  tokens: number
  at: number
}

/** Bounds what one source may ask: `perSecond` on average, twice that at once. Remembers so many sources; the longest silent one goes first. */
export class SourceLimiter {
  readonly #perSecond: number
  readonly #mostSources: number
  readonly #buckets = new Map<string, Bucket>()

  /** @param perSecond 0 lets everything pass */
  constructor(perSecond: number, mostSources: number) {
    this.#perSecond = perSecond
    this.#mostSources = mostSources
  }

  get sources(): number {
    return this.#buckets.size
  }

  /** Whether one more question of the source is answered. @param now monotonic milliseconds */
  admit(address: string, now: number): boolean {
    if (this.#perSecond === 0) return true
    const source = sourceOf(address)
    const bucket = this.#buckets.get(source) ?? { tokens: 2 * this.#perSecond, at: now }
    bucket.tokens = Math.min(2 * this.#perSecond, bucket.tokens + ((now - bucket.at) * this.#perSecond) / 1_000)
    bucket.at = now
    const admitted = bucket.tokens >= 1
    if (admitted) bucket.tokens--
    this.#buckets.delete(source)
    this.#buckets.set(source, bucket)
    if (this.#buckets.size > this.#mostSources) for (const [oldest] of this.#buckets) return this.#buckets.delete(oldest) && admitted
    return admitted
  }
}

/** Who has one IPv6 address mostly has 2^64 of them. */
const sourceOf = (address: string): string =>
  address.includes(':') && !address.startsWith('::ffff:') ? (address.split('::')[0] ?? '').split(':').slice(0, 4).join(':') : address
