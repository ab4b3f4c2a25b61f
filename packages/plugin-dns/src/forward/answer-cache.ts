import { rcodes, types } from '../wire/protocol.ts'
import { type MessagePlaces, walkMessage } from '../wire/walk-message.ts'

export interface AnswerCacheLimits {
  readonly entries: number
  readonly bytes: number
  /** Longest time that an answer is kept. Seconds. */
  readonly maxTtl: number
  /** Longest time that the absence of something is kept. Seconds. */
  readonly maxNegativeTtl: number
}

interface Entry {
  readonly message: Buffer
  /** Where its times to live stand. */
  readonly ttlPlaces: readonly number[]
  readonly storedAt: number
  readonly endsAt: number
}

/** Seconds for which an answer may be kept; 0 for one that is not kept at all (RFC 2308). Pure. */
export function keepSeconds(message: Buffer, { records }: MessagePlaces, limits: AnswerCacheLimits): number {
  const rcode = (message[3] as number) & 0xf
  const truncated = ((message[2] as number) & 0x02) !== 0
  if (truncated || (rcode !== rcodes.noError && rcode !== rcodes.nxDomain)) return 0
  const kept = records.filter(({ type }) => type !== types.OPT)
  const shortest = Math.min(...kept.map(({ ttl }) => (ttl > 0x7fffffff ? 0 : ttl)))
  if (rcode === rcodes.noError && records.some(({ section, type }) => section === 'answer' && type !== types.CNAME))
    return Math.min(shortest, limits.maxTtl)
  const soa = records.find(({ section, type }) => section === 'authority' && type === types.SOA)
  // Without it nobody says how long the name stays away.
  if (soa === undefined || soa.end - soa.dataAt < 20) return 0
  return Math.min(shortest, message.readUInt32BE(soa.end - 4), limits.maxNegativeTtl)
}

/** Answers of other servers by question, the least used go first. Nothing is given out after its time. */
export class AnswerCache {
  readonly #limits: AnswerCacheLimits
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(limits: AnswerCacheLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A copy whose times to live are what is left of them. @param now monotonic milliseconds */
  get(key: string, now: number): Buffer | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (now >= entry.endsAt) {
      this.#drop(key, entry)
      return undefined
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const copy = Buffer.from(entry.message)
    const passed = Math.floor((now - entry.storedAt) / 1_000)
    for (const at of entry.ttlPlaces) copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(at) - passed), at)
    return copy
  }

  /** Keeps the answer for as long as it may be. */
  put(key: string, message: Buffer, now: number): void {
    const places = walkMessage(message)
    if (places === undefined) return
    const seconds = keepSeconds(message, places, this.#limits)
    if (seconds <= 0 || message.length > this.#limits.bytes || this.#limits.entries === 0) return
    const old = this.#entries.get(key)
    if (old !== undefined) this.#drop(key, old)
    const own = Buffer.from(message)
    // Longer times than those for which it is kept are cut, or clients would keep it for longer than this cache does.
    const ttlPlaces = places.records.filter(({ type }) => type !== types.OPT).map(({ ttlAt }) => ttlAt)
    for (const at of ttlPlaces) own.writeUInt32BE(Math.min(own.readUInt32BE(at), this.#limits.maxTtl), at)
    this.#entries.set(key, { message: own, ttlPlaces, storedAt: now, endsAt: now + seconds * 1_000 })
    this.#bytes += own.length
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) break
      this.#drop(oldest, entry)
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= entry.message.length
  }
}
