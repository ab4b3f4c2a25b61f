import { formatTime } from '../clock/clock.ts'
import { RecentMap } from './recent-map.ts'
import { type EventSourceName, type EventTarget, firstEvent, type Occurrence, type RecordedEvent } from './recorded-event.ts'

/** What to do about an occurrence: write a new event, raise the count of one that exists, or drop it. */
export type Correlated =
  | { readonly type: 'create'; readonly event: RecordedEvent }
  | { readonly type: 'count'; readonly event: RecordedEvent }
  | { readonly type: 'drop' }

export interface CorrelatorLimits {
  /** Objects, groups and events remembered, each. The least recently used is forgotten first. Default 4,096. */
  readonly remembered?: number
  /** Events about one object that may be written at once. Default 25. */
  readonly burst?: number
  /** Milliseconds until one more may be written. Default 300,000. */
  readonly refillMs?: number
  /** Different messages of one reason about one object after which they are combined. Default 10. */
  readonly combineAfter?: number
  /** A group that was quiet for this long begins anew. Default 600,000. */
  readonly combineWithinMs?: number
}

interface Bucket {
  tokens: number
  at: number
}

interface Group {
  readonly messages: Set<string>
  at: number
}

const objectKey = (target: EventTarget): string =>
  [target.apiVersion, target.kind, target.namespace, target.name, target.uid, target.fieldPath].join('\u0000')

/**
 * Decides how occurrences become events, by the rules of client-go: the same (object, reason, message) is one event whose count rises;
 * many different messages of one reason are combined; each object has a token bucket. State is bounded; no I/O.
 */
export class EventCorrelator {
  readonly #buckets: RecentMap<Bucket>
  readonly #groups: RecentMap<Group>
  readonly #events: RecentMap<RecordedEvent>
  readonly #limits: Required<CorrelatorLimits>

  constructor(limits: CorrelatorLimits = {}) {
    this.#limits = { remembered: 4096, burst: 25, refillMs: 300_000, combineAfter: 10, combineWithinMs: 600_000, ...limits }
    this.#buckets = new RecentMap(this.#limits.remembered)
    this.#groups = new RecentMap(this.#limits.remembered)
    this.#events = new RecentMap(this.#limits.remembered)
  }

  correlate(occurrence: Occurrence, source: EventSourceName, now: number, distinct: string): Correlated {
    const about = objectKey(occurrence.about)
    if (!this.#admit(about, now)) return { type: 'drop' }
    const group = [about, occurrence.type, occurrence.reason, occurrence.action].join('\u0000')
    const combined = this.#combines(group, occurrence.message, now)
    const message = combined ? `(combined from similar events): ${occurrence.message}` : occurrence.message
    const identity = combined ? group : `${group}\u0000${occurrence.message}`
    const known = this.#events.get(identity)
    const event: RecordedEvent =
      known === undefined
        ? firstEvent({ ...occurrence, message }, source, now, distinct)
        : { ...known, message: message.slice(0, 1024), count: known.count + 1, lastTimestamp: formatTime(now) }
    this.#events.set(identity, event)
    return { type: known === undefined ? 'create' : 'count', event }
  }

  /** Forgets an event, because it could not be written or has expired: the next like it is a first one. */
  forget(event: RecordedEvent): void {
    for (const [identity, known] of this.#events) {
      if (known.metadata.name === event.metadata.name && known.metadata.namespace === event.metadata.namespace)
        this.#events.delete(identity)
    }
  }

  #admit(about: string, now: number): boolean {
    const bucket = this.#buckets.get(about) ?? { tokens: this.#limits.burst, at: now }
    const tokens = Math.min(this.#limits.burst, bucket.tokens + (now - bucket.at) / this.#limits.refillMs)
    const admitted = tokens >= 1
    this.#buckets.set(about, { tokens: admitted ? tokens - 1 : tokens, at: now })
    return admitted
  }

  #combines(key: string, message: string, now: number): boolean {
    const known = this.#groups.get(key)
    const group = known !== undefined && now - known.at <= this.#limits.combineWithinMs ? known : { messages: new Set<string>(), at: now }
    group.at = now
    const full = group.messages.size >= this.#limits.combineAfter
    if (!full) group.messages.add(message)
    this.#groups.set(key, group)
    return full && !group.messages.has(message)
  }
}
