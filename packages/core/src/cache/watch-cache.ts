/** One key as the cache holds it. Immutable but for `attached`, where the layer above keeps what it derived (decoded objects, encodings). */
export interface CacheEntry {
  readonly key: string
  readonly value: Uint8Array
  readonly createRevision: number
  readonly modRevision: number
  /** Slot for the layer above; dies with the entry. */
  attached: unknown
}

/** One change of one key. For a deletion `entry` is absent and `previous` is what was deleted. */
export interface CacheEvent {
  readonly revision: number
  readonly key: string
  readonly entry?: CacheEntry
  readonly previous?: CacheEntry
}

/** A position in the shared ring of one dispatch key. Holds nothing of its own. */
export interface CacheCursor {
  /** Up to `max` events after the position, without waiting. Throws `CACHE_BEHIND` when it fell off the ring. */
  take(max: number): readonly CacheEvent[]
  /**
   * Resolves when `take` has something to return or to throw, or when the cursor was closed. That `revision` moved on
   * without an event is told at intervals of some seconds only: a write must not wake everybody.
   */
  ready(): Promise<void>
  /** Everything of its dispatch key up to this revision has been taken. */
  readonly revision: number
  close(): void
}

/**
 * How the events of one prefix find their watchers. The cache keeps one ring for each dispatch key that somebody watches;
 * an event is put into the rings of the keys of its new and its previous entry, so it costs its own watchers only.
 */
export interface DispatchIndex {
  /** Dispatch keys of an entry beside `''` (everything), such as `namespace=a`, `name=a/b`, `spec.holder=me`. */
  keysOf(entry: CacheEntry): readonly string[]
}

/**
 * The whole key space in memory, fed by one store watch per process, so that any write advances every reader.
 * Reads are synchronous; a caller that needs the most recent state awaits {@link WatchCache.caughtUp} first.
 */
export interface WatchCache {
  /** Loads the state and begins to watch; resolves when the cache is complete. Reconnects by itself until the signal aborts. */
  start(signal: AbortSignal): Promise<void>
  /** The newest revision that is in the cache. */
  readonly revision: number
  /** The oldest revision from which a cursor can begin. */
  readonly oldestRevision: number
  /**
   * Resolves when the cache has reached the store's head as of the call; without a promise when it is there already and the store says so at once.
   * Concurrent calls share one question to the store. Throws `STORE_UNAVAILABLE`.
   */
  caughtUp(signal?: AbortSignal): Promise<void> | undefined
  /** Resolves when the cache has reached the revision. */
  reached(revision: number, signal?: AbortSignal): Promise<void>
  get(key: string): CacheEntry | undefined
  /** Entries below the prefix in key order, from `startKey` on; `count` is the number from there to the end. */
  list(
    prefix: string,
    options?: { readonly startKey?: string; readonly limit?: number },
  ): { readonly entries: readonly CacheEntry[]; readonly count: number }
  /** Entries under the prefix that bear a dispatch key: an indexed list. */
  byDispatchKey(prefix: string, dispatchKey: string): readonly CacheEntry[]
  /** Declares dispatch keys for a prefix; existing entries are indexed at once. */
  index(prefix: string, index: DispatchIndex): Disposable
  /** Events after `after`. Throws `CACHE_BEHIND` when that is older than the ring. */
  watch(prefix: string, options: { readonly dispatchKey?: string; readonly after: number }): CacheCursor
}
