import type { CacheCursor, CacheEntry, CacheEvent } from '../cache/watch-cache.ts'
import type { Cancel } from '../clock/clock.ts'
import type { WatchCursor, WatchViewEvent } from './object-service.ts'
import { prepareViews } from './prepare-views.ts'
import type { Selection } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import { toApiError } from './store-faults.ts'
import { StoredView } from './stored-view.ts'
import type { Target } from './target.ts'

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

/** A change of one object, before it is known what it means to this watch. */
interface Change {
  readonly now: StoredView | undefined
  /** The state before, with the version of the change. Absent when it is not needed. */
  readonly before: StoredView | undefined
  readonly existed: boolean
}

/**
 * A watch as a position in the cache: the initial objects first, then what the ring of its dispatch key holds, as its selection sees it.
 * It keeps at most one step of events that were read and not yet taken.
 */
export class CacheWatchCursor implements WatchCursor {
  readonly #parts: ServiceParts
  readonly #spec: CursorSpec
  readonly #stops: Cancel[] = []
  #initialAt = 0
  #initialDone: boolean
  #pending: WatchViewEvent[] = []
  #pendingAt = 0
  #filling: Promise<void> | undefined
  #failure: unknown
  #closing = false
  #closed = false
  #bookmarkDue = false
  #lastTold: number
  #wake: (() => void) | undefined

  constructor(parts: ServiceParts, spec: CursorSpec) {
    this.#parts = parts
    this.#spec = spec
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
    const taken = this.#pending.slice(this.#pendingAt, this.#pendingAt + max)
    this.#pendingAt += taken.length
    if (taken.length > 0) return taken
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.close()
      throw toApiError(failure)
    }
    return taken
  }

  async ready(): Promise<void> {
    for (;;) {
      if (this.#filling !== undefined) await this.#filling
      if (this.#closed || this.#pendingAt < this.#pending.length || this.#failure !== undefined || this.#closing) return
      const more = this.#fill()
      if (this.#filling !== undefined || this.#pendingAt < this.#pending.length || this.#failure !== undefined) continue
      if (more) {
        await this.#parts.clock.yield()
        continue
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([this.#spec.cursor.ready(), woken])
      this.#wake = undefined
    }
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
    if (this.#spec.timeoutMs !== undefined) this.#stops.push(clock.after(this.#spec.timeoutMs, () => this.#finish()))
    this.#stops.push(
      registry.onChange(({ type, resource }) => {
        if (type !== 'added' && resource.group === definition.group && resource.resource === definition.plural) this.#finish()
      }),
    )
  }

  /** No more events are read; what was read is still taken, and a last bookmark tells where to go on. */
  #finish(): void {
    if (this.#closing) return
    if (this.#spec.bookmarks && this.#initialDone && this.#filling === undefined && this.#pendingAt >= this.#pending.length)
      this.#bookmark(false)
    this.#closing = true
    this.#wake?.()
  }

  /** Reads on until there is an event for this watch, a conversion must be waited for, or nothing is at hand. True when there is more to read. */
  #fill(): boolean {
    try {
      for (let steps = 0; steps < stepsAtOnce; steps++) {
        const changes = this.#initialAt < this.#spec.initial.length ? this.#readInitial() : this.#readRing()
        if (changes === undefined) {
          this.#markProgress()
          return false
        }
        const waiting = prepareViews(changes.flatMap(({ now, before }) => [now, before].filter((view) => view !== undefined)))
        if (waiting !== undefined) {
          this.#filling = waiting.then(
            () => this.#filled(changes),
            (error) => this.#failed(error),
          )
          return true
        }
        this.#show(changes)
        if (this.#pending.length > 0) return true
      }
    } catch (error) {
      this.#failed(error)
    }
    return true
  }

  #filled(changes: readonly Change[]): void {
    this.#filling = undefined
    if (!this.#closed) this.#show(changes)
  }

  #failed(error: unknown): void {
    this.#filling = undefined
    this.#failure ??= error
  }

  #show(changes: readonly Change[]): void {
    this.#pending = changes.flatMap((change) => this.#meaning(change))
    this.#pendingAt = 0
  }

  /** Entering the selection is ADDED; leaving it is DELETED, with the last state that was in it. */
  #meaning({ now, before, existed }: Change): readonly WatchViewEvent[] {
    const { selection } = this.#spec
    const matched = existed && (selection.everything || (before !== undefined && selection.matches(before)))
    if (now !== undefined && (selection.everything || selection.matches(now))) return [{ type: matched ? 'MODIFIED' : 'ADDED', view: now }]
    return matched && before !== undefined ? [{ type: 'DELETED', view: before }] : []
  }

  #readInitial(): readonly Change[] {
    const entries = this.#spec.initial.slice(this.#initialAt, this.#initialAt + step)
    this.#initialAt += entries.length
    return entries.map((entry) => ({ now: this.#view(entry), before: undefined, existed: false }))
  }

  #readRing(): readonly Change[] | undefined {
    if (!this.#initialDone) {
      this.#initialDone = true
      if (this.#spec.marksInitialEnd && this.#spec.bookmarks) {
        this.#bookmark(true)
        return undefined
      }
    }
    const events = this.#spec.cursor.take(step)
    return events.length === 0 ? undefined : events.flatMap((event) => this.#changeOf(event))
  }

  #changeOf({ revision, key, entry, previous }: CacheEvent): readonly Change[] {
    const { selection, prefix } = this.#spec
    if (!key.startsWith(prefix)) return []
    const wantsBefore = previous !== undefined && (entry === undefined || !selection.everything)
    return [
      {
        now: entry === undefined ? undefined : this.#view(entry),
        before: wantsBefore ? this.#view(previous, revision) : undefined,
        existed: previous !== undefined,
      },
    ]
  }

  #view(entry: CacheEntry, revision?: number): StoredView {
    return new StoredView(this.#parts.views, this.#spec.target.form, entry, revision)
  }

  #markProgress(): void {
    if (!this.#bookmarkDue || !this.#initialDone || this.#pendingAt < this.#pending.length) return
    this.#bookmarkDue = false
    this.#bookmark(false)
  }

  #bookmark(initialEventsEnd: boolean): void {
    const revision = initialEventsEnd ? this.#spec.startRevision : Math.max(this.#spec.cursor.revision, this.#lastTold)
    this.#lastTold = revision
    const resourceVersion = this.#parts.views.scale.format(revision)
    this.#pending = [initialEventsEnd ? { type: 'BOOKMARK', resourceVersion, initialEventsEnd } : { type: 'BOOKMARK', resourceVersion }]
    this.#pendingAt = 0
  }
}
