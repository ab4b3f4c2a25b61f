import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import { SortedMap } from '../store/sorted-map.ts'
import type { Store, StoreBatch, StoreEntry } from '../store/store.ts'
import { StoreError } from '../store/store-error.ts'
import { behind, type CursorSource, RingCursor } from './cache-cursor.ts'
import { CatchUp } from './catch-up.ts'
import { DispatchGroup } from './dispatch-group.ts'
import type { DispatchRing } from './dispatch-ring.ts'
import { EventRing } from './event-ring.ts'
import { followStore, type Loading } from './follow-store.ts'
import { PrefixTree } from './prefix-tree.ts'
import { RevisionWaiters } from './revision-waiters.ts'
import type { CacheCursor, CacheEntry, DispatchIndex, WatchCache } from './watch-cache.ts'

export interface WatchCacheOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Events that are kept for watchers that read behind or come back. Default 65,536. */
  readonly ringSize?: number
  /** Bytes of replaced values that are kept with them. Default 32 MiB. */
  readonly ringBytes?: number
  /** Milliseconds between wake-ups of cursors that have no event, so that they can tell their progress. Default 5,000. */
  readonly progressInterval?: number
  /** Milliseconds that `caughtUp` waits for the store's watch before it says `STORE_UNAVAILABLE`. Default 5,000. */
  readonly catchUpTimeout?: number
}

/** The {@link WatchCache} over a store. It is empty until `start`. */
export const createWatchCache = (options: WatchCacheOptions): WatchCache => new StoreWatchCache(options)

class StoreWatchCache implements WatchCache, CursorSource {
  readonly events: EventRing
  epoch = 0
  #revision = 0
  #entries = new SortedMap<CacheEntry>()
  readonly #options: WatchCacheOptions
  readonly #groups = new PrefixTree<DispatchGroup>()
  readonly #waiters = new RevisionWaiters()
  readonly #catchUp: CatchUp
  readonly #touched: DispatchRing[] = []
  #reconnect: () => void = () => {}
  #progressArmed = false

  constructor(options: WatchCacheOptions) {
    const { store, clock, ringSize = 65_536, ringBytes = 32 << 20, catchUpTimeout = 5_000 } = options
    this.#options = options
    this.events = new EventRing({ maxEvents: ringSize, maxBytes: ringBytes })
    this.#catchUp = new CatchUp({ store, clock, timeout: catchUpTimeout, position: this, onStuck: () => this.#reconnect() })
  }

  get revision(): number {
    return this.#revision
  }

  get oldestRevision(): number {
    return this.events.oldestRevision
  }

  async start(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#options
    await followStore({
      store,
      clock,
      log,
      signal,
      load: () => this.#load(),
      apply: (batch) => this.#apply(batch),
      position: () => this.#revision,
      onConnected: (reconnect) => {
        this.#reconnect = reconnect
      },
      onEnd: () => this.#waiters.fail(new StoreError('STORE_UNAVAILABLE', 'the watch cache has stopped')),
    })
  }

  caughtUp(signal?: AbortSignal): Promise<void> | undefined {
    return this.#catchUp.caughtUp(signal)
  }

  async reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#revision < revision) await this.#waiters.wait(revision, signal)
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key)
  }

  list(prefix: string, { startKey, limit }: { startKey?: string; limit?: number } = {}): { entries: readonly CacheEntry[]; count: number } {
    const entries = this.#entries.list(prefix, startKey, limit)
    return { entries, count: limit === undefined || entries.length < limit ? entries.length : this.#entries.count(prefix, startKey) }
  }

  byDispatchKey(prefix: string, dispatchKey: string): readonly CacheEntry[] {
    return this.#groups.get(prefix)?.byKey(dispatchKey, () => this.#entries.range(prefix)) ?? []
  }

  index(prefix: string, index: DispatchIndex): Disposable {
    const group = this.#group(prefix)
    const added = group.addIndex(index)
    return {
      [Symbol.dispose]: () => {
        added[Symbol.dispose]()
        this.#dropIdle(group)
      },
    }
  }

  watch(prefix: string, { dispatchKey = '', after }: { dispatchKey?: string; after: number }): CacheCursor {
    if (after < this.events.oldestRevision) throw behind(after, this.events.oldestRevision)
    const group = this.#group(prefix)
    const ring = group.acquire(dispatchKey, this.events.after(after))
    return new RingCursor(this, ring, after, () => {
      group.release(dispatchKey, ring)
      this.#dropIdle(group)
    })
  }

  #group(prefix: string): DispatchGroup {
    const existing = this.#groups.get(prefix)
    if (existing !== undefined) return existing
    const group = new DispatchGroup(prefix, this.events)
    this.#groups.add(group)
    return group
  }

  #dropIdle(group: DispatchGroup): void {
    if (group.idle) this.#groups.delete(group)
  }

  /** Takes a whole new state. Entries that did not change stay the same objects; every cursor falls behind. */
  #load(): Loading {
    const loaded = new SortedMap<CacheEntry>()
    return {
      add: (entries) => {
        for (const entry of entries) {
          const known = this.#entries.get(entry.key)
          loaded.set(known?.modRevision === entry.modRevision ? known : cacheEntry(entry))
        }
      },
      complete: (revision) => {
        this.#entries = loaded
        this.events.reset(revision)
        this.epoch++
        this.#revision = revision
        for (const group of this.#groups) group.reset()
        this.#wakeEverybody()
        this.#waiters.advance(revision)
      },
    }
  }

  #apply({ revision, events }: StoreBatch): void {
    if (revision <= this.#revision) return
    for (const event of events) {
      const { key } = event
      const entry =
        event.type === 'put'
          ? cacheEntry({ key, value: event.value, createRevision: event.createRevision, modRevision: revision })
          : undefined
      const previous = entry === undefined ? this.#entries.delete(key) : this.#entries.set(entry)
      if (entry === undefined && previous === undefined) continue
      const change = { revision, key, entry, previous }
      const sequence = this.events.push(change)
      for (let group = this.#groups.find(key); group !== undefined; group = group.parent) group.dispatch(change, sequence, this.#touched)
    }
    this.#revision = revision
    this.events.trim()
    for (const ring of this.#touched) ring.wakeAll()
    this.#touched.length = 0
    this.#waiters.advance(revision)
    this.#armProgress()
  }

  #armProgress(): void {
    if (this.#progressArmed) return
    this.#progressArmed = true
    this.#options.clock.after(this.#options.progressInterval ?? 5_000, () => {
      this.#progressArmed = false
      this.#wakeEverybody()
    })
  }

  #wakeEverybody(): void {
    for (const group of this.#groups) for (const ring of group.rings) ring.wakeAll()
  }
}

/** A copy of its own unless the value already is one: a slice would keep the whole buffer that it was cut from. */
function cacheEntry({ key, value, createRevision, modRevision }: StoreEntry): CacheEntry {
  const owned = value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value)
  return { key, value: owned, createRevision, modRevision, attached: undefined }
}
