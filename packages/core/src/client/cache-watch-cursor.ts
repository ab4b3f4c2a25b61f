import type { CacheCursor, CacheEntry } from '../cache/watch-cache.ts'
import type { Cancel } from '../clock/clock.ts'
import type { WatchCursor, WatchViewEvent } from './object-service.ts'
import { prepareViews } from './prepare-views.ts'
import type { Selection } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import { toApiError } from './store-faults.ts'
import type { Target } from './target.ts'
import { meaningOf, toChange, type WatchChange } from './watch-change.ts'

/** Events that one step reads from the cache's ring. */
const step = 128

export interface CursorSpec {
  readonly target: Target
  readonly selection: Selection
  /** Keys outside it are not of the collection. */
  readonly prefix: string
  readonly cursor: CacheCursor
  readonly initial: readonly CacheEntry[]
  readonly startRevision: number
  readonly marksInitialEnd: boolean
  readonly bookmarks: boolean
  readonly timeoutMs: number | undefined
}

/** Steps of events that concern nobody here that are read in one go: about 5 ms of decoding. */
const stepsAtOnce = 2

/**
 * A watch as a position in the cache: the initial objects first, then what the ring of its dispatch key holds, as its selection sees it.
 * It keeps at most one step of events that were read and not yet taken.
 */
export class CacheWatchCursor implements WatchCursor {
  readonly #parts: ServiceParts
  readonly #spec: CursorSpec
  readonly #stops: Cancel[] = []
  readonly #converts: boolean
  #initialAt = 0
  #initialDone: boolean
  #pending: WatchViewEvent[] = []
  #pendingAt = 0
  #filling: Promise<void> | undefined
  #failure: unknown
  /** Set when the watch is to end: what has happened up to this revision is still delivered. */
  #endsAfter: number | undefined
  #closing = false
  #closed = false
  #bookmarkDue = false
  #lastTold: number
  #wake: (() => void) | undefined

  constructor(parts: ServiceParts, spec: CursorSpec) {
    this.#parts = parts
    this.#spec = spec
    this.#converts = spec.target.served.definition.convert !== undefined
    this.#initialDone = spec.initial.length === 0 && !spec.marksInitialEnd
    this.#lastTold = spec.startRevision
    this.#arm()
  }

  get ended(): boolean {
    return (
      this.#closed ||
      (this.#closing && this.#filling === undefined && this.#pendingAt >= this.#pending.length && this.#failure === undefined)
    )
  }

  take(max: number): readonly WatchViewEvent[] {
    if (this.#closed) return []
    if (this.#pendingAt >= this.#pending.length && this.#filling === undefined && !this.#closing) this.#fill()
    const whole = this.#pendingAt === 0 && this.#pending.length <= max
    const taken = whole ? this.#pending : this.#pending.slice(this.#pendingAt, this.#pendingAt + max)
    this.#pendingAt += taken.length
    if (taken.length > 0) return taken
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.close()
      throw toApiError(failure)
    }
    // It has ended and everything was taken: lets go of its place in the ring even if nobody closes it.
    if (this.#closing && this.#filling === undefined) this.close()
    return taken
  }

  async ready(): Promise<void> {
    for (;;) {
      if (this.#filling !== undefined) await this.#filling
      if (this.#closing || this.#pendingAt < this.#pending.length || this.#failure !== undefined) return
      const more = this.#fill()
      if (this.#closing || this.#pendingAt < this.#pending.length || this.#failure !== undefined) return
      if (this.#filling === undefined) await (more ? this.#parts.clock.yield() : this.#woken())
    }
  }

  /** Resolves when the ring has something or this cursor is told something. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      void this.#spec.cursor.ready().then(resolve)
    })
  }

  requestBookmark(): void {
    if (!this.#spec.bookmarks) return
    this.#bookmarkDue = true
    this.#wake?.()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#closing = true
    for (const stop of this.#stops) stop()
    this.#spec.cursor.close()
    this.#pending = []
    this.#pendingAt = 0
    this.#wake?.()
  }

  #arm(): void {
    const { clock, limits, registry } = this.#parts
    const { definition } = this.#spec.target.served
    if (this.#spec.bookmarks) {
      const again = (): void => {
        this.requestBookmark()
        cancel = clock.after(limits.bookmarkMs, again)
      }
      // Spread out, so that many watchers that began together do not all wake at once.
      let cancel = clock.after(limits.bookmarkMs * (0.9 + 0.1 * this.#parts.random.next()), again)
      this.#stops.push(() => cancel())
    }
    const end = (): void => this.#finish()
    this.#parts.watches.add(end)
    this.#stops.push(() => this.#parts.watches.delete(end))
    if (this.#spec.timeoutMs !== undefined) this.#stops.push(clock.after(this.#spec.timeoutMs, () => this.#finish()))
    this.#stops.push(
      registry.onChange(({ type, resource, definition: next }) => {
        if (resource.group !== definition.group || resource.resource !== definition.plural) return
        // Other verbs, as while its objects are being deleted, change nothing about what is seen.
        if (type === 'removed' || (type === 'replaced' && next.versions !== definition.versions)) this.#finish()
      }),
    )
  }

  /** What has happened by now is still read, and a last bookmark tells where to go on. */
  #finish(): void {
    this.#endsAfter ??= this.#parts.cache.revision
    this.#wake?.()
  }

  /** Nothing is left to read of a watch that is to end. */
  #end(): void {
    if (this.#closing) return
    if (this.#spec.bookmarks && this.#initialDone) this.#bookmark(false)
    this.#closing = true
    this.#wake?.()
  }

  /** Reads on until there is an event for this watch, a conversion must be waited for, or nothing is at hand. True when there is more to read. */
  #fill(): boolean {
    try {
      for (let steps = 0; steps < stepsAtOnce; steps++) {
        const changes = this.#initialAt < this.#spec.initial.length ? this.#readInitial() : this.#readRing()
        if (changes === undefined) {
          if (this.#endsAfter === undefined) this.#markProgress()
          else this.#end()
          return false
        }
        if (this.#converts) {
          const waiting = prepareViews(changes.flatMap(({ now, before }) => [now, before].filter((view) => view !== undefined)))
          if (waiting !== undefined) {
            this.#filling = waiting.then(
              () => this.#filled(changes),
              (error) => this.#failed(error),
            )
            return true
          }
        }
        this.#show(changes)
        if (this.#pending.length > 0) return true
      }
    } catch (error) {
      this.#failed(error)
    }
    return true
  }

  #filled(changes: readonly WatchChange[]): void {
    this.#filling = undefined
    if (!this.#closed) this.#show(changes)
  }

  #failed(error: unknown): void {
    this.#filling = undefined
    this.#failure ??= error
  }

  #show(changes: readonly WatchChange[]): void {
    const pending: WatchViewEvent[] = []
    for (const change of changes) {
      const event = meaningOf(change, this.#spec.selection)
      if (event !== undefined) pending.push(event)
    }
    this.#pending = pending
    this.#pendingAt = 0
  }

  #readInitial(): readonly WatchChange[] {
    const entries = this.#spec.initial.slice(this.#initialAt, this.#initialAt + step)
    this.#initialAt += entries.length
    const { form } = this.#spec.target
    return entries.map((entry) => toChange(this.#parts.views, form, { revision: entry.modRevision, key: entry.key, entry }))
  }

  #readRing(): readonly WatchChange[] | undefined {
    if (!this.#initialDone) {
      this.#initialDone = true
      if (this.#spec.marksInitialEnd && this.#spec.bookmarks) {
        this.#bookmark(true)
        return undefined
      }
    }
    const end = this.#endsAfter ?? Number.POSITIVE_INFINITY
    const events = this.#spec.cursor.take(step)
    if (events[0] === undefined || events[0].revision > end) return undefined
    const { prefix, target } = this.#spec
    const changes: WatchChange[] = []
    for (const event of events)
      if (event.revision <= end && event.key.startsWith(prefix)) changes.push(target.form.recent.of(this.#parts.views, target.form, event))
    return changes
  }

  #markProgress(): void {
    if (!this.#bookmarkDue || !this.#initialDone || this.#pendingAt < this.#pending.length) return
    this.#bookmarkDue = false
    this.#bookmark(false)
  }

  #bookmark(initialEventsEnd: boolean): void {
    const seen = Math.min(this.#spec.cursor.revision, this.#endsAfter ?? Number.POSITIVE_INFINITY)
    const revision = initialEventsEnd ? this.#spec.startRevision : Math.max(seen, this.#lastTold)
    this.#lastTold = revision
    const resourceVersion = this.#parts.views.scale.format(revision)
    this.#pending = [initialEventsEnd ? { type: 'BOOKMARK', resourceVersion, initialEventsEnd } : { type: 'BOOKMARK', resourceVersion }]
    this.#pendingAt = 0
  }
}
