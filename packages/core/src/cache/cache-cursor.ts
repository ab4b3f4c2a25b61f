import { ContinuoError } from '../errors/continuo-error.ts'
import type { DispatchRing, RingWaiter } from './dispatch-ring.ts'
import type { EventRing } from './event-ring.ts'
import type { CacheCursor, CacheEvent } from './watch-cache.ts'

/** What a cursor sees of the cache. */
export interface CursorSource {
  readonly events: EventRing
  readonly revision: number
  /** Changes when everything was loaded anew: what lay between is unknown. */
  readonly epoch: number
}

/** `CACHE_BEHIND`: the events after a revision are no longer held; list again. */
export const behind = (after: number, oldest: number): ContinuoError =>
  new ContinuoError('CACHE_BEHIND', `events after revision ${after} are gone, the oldest held are after ${oldest}`, {
    hint: 'List again and watch from there.',
  })

const nothing: readonly CacheEvent[] = []

/** A position in a {@link DispatchRing}. */
export class RingCursor implements CacheCursor, RingWaiter {
  readonly #source: CursorSource
  readonly #ring: DispatchRing
  readonly #epoch: number
  readonly #after: number
  readonly #release: () => void
  #position: number
  #closed = false
  /** What the consumer awaits, while it does. */
  #pending: Promise<void> | undefined
  #resolve: (() => void) | undefined

  constructor(source: CursorSource, ring: DispatchRing, after: number, release: () => void) {
    this.#source = source
    this.#ring = ring
    this.#epoch = source.epoch
    this.#after = after
    this.#position = ring.positionOf(source.events.after(after))
    this.#release = release
  }

  get revision(): number {
    if (this.#position === this.#ring.end) return Math.max(this.#after, this.#source.revision)
    const sequence = this.#ring.at(this.#position)
    return sequence === -1 ? this.#after : this.#source.events.at(sequence).revision - 1
  }

  take(max: number): readonly CacheEvent[] {
    if (this.#closed) return nothing
    const { events, epoch } = this.#source
    if (epoch !== this.#epoch) throw behind(this.#after, events.oldestRevision)
    const { end } = this.#ring
    if (this.#position === end) return nothing
    const taken: CacheEvent[] = []
    while (this.#position < end && taken.length < max) {
      const sequence = this.#ring.at(this.#position)
      if (sequence === -1) throw behind(this.#after, events.oldestRevision)
      const event = events.at(sequence)
      if (event.revision > this.#after) taken.push(event)
      this.#position++
    }
    return taken
  }

  ready(): Promise<void> {
    if (this.#closed || this.#position < this.#ring.end || this.#source.epoch !== this.#epoch) return Promise.resolve()
    if (this.#pending === undefined) {
      this.#pending = new Promise((resolve) => {
        this.#resolve = resolve
      })
      this.#ring.wait(this)
    }
    return this.#pending
  }

  wake(): void {
    this.#pending = undefined
    this.#resolve?.()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ring.unwait(this)
    this.wake()
    this.#release()
  }
}
