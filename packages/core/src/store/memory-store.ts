import { EventFeed, type EventFeedOptions } from './event-feed.ts'
import { SortedMap } from './sorted-map.ts'
import type {
  CommitResult,
  Store,
  StoreBatch,
  StoreEntry,
  StoreEvent,
  StoreList,
  StoreListOptions,
  StoreTransaction,
  StoreWrite,
} from './store.ts'
import { StoreError } from './store-error.ts'
import { checkTransaction, defaultStoreLimits } from './transaction.ts'

export interface MemoryStoreOptions {
  readonly limits?: Partial<Store['limits']>
  /** How far a watcher may fall behind; see {@link EventFeed}. */
  readonly feed?: Omit<EventFeedOptions, 'head'>
}

/** What a key was from a revision on: an entry, or deleted. */
interface Version {
  readonly revision: number
  readonly entry?: StoreEntry
}

interface KeyHistory {
  readonly key: string
  /** Oldest first; never empty. */
  versions: Version[]
}

const noValue = new Uint8Array(0)

/**
 * The reference implementation of {@link Store}: everything in this process, nothing on disk.
 * Keeps each version of each key until compaction. A commit is applied in the call, so the same calls give the same history.
 */
export class MemoryStore implements Store {
  readonly limits: Store['limits']
  readonly features = { durable: false, soleWriter: true } as const
  readonly #live = new SortedMap<StoreEntry>()
  /** Every key that exists or existed since the compacted revision. */
  readonly #histories = new SortedMap<KeyHistory>()
  readonly #feed: EventFeed
  /** One batch for each revision above the compacted one. */
  #log: StoreBatch[] = []
  #head = 1
  #compacted = 1
  #closed = false

  constructor({ limits, feed }: MemoryStoreOptions = {}) {
    this.limits = { ...defaultStoreLimits, ...limits }
    this.#feed = new EventFeed({ ...feed, head: this.#head })
  }

  async get(
    key: string,
    { revision, signal }: { revision?: number; signal?: AbortSignal } = {},
  ): Promise<{ entry?: StoreEntry; revision: number }> {
    this.#check(revision, signal)
    const entry = revision === undefined ? this.#live.get(key) : entryAt(this.#histories.get(key), revision)
    return entry === undefined ? { revision: revision ?? this.#head } : { entry, revision: revision ?? this.#head }
  }

  async list(prefix: string, { startKey, limit, revision, signal }: StoreListOptions = {}): Promise<StoreList> {
    this.#check(revision, signal)
    if (revision === undefined || revision === this.#head) {
      return { entries: this.#live.list(prefix, startKey, limit), count: this.#live.count(prefix, startKey), revision: this.#head }
    }
    const entries: StoreEntry[] = []
    let count = 0
    for (const history of this.#histories.range(prefix, startKey)) {
      const entry = entryAt(history, revision)
      if (entry === undefined) continue
      count++
      if (limit === undefined || entries.length < limit) entries.push(entry)
    }
    return { entries, count, revision }
  }

  async commit(transaction: StoreTransaction): Promise<CommitResult> {
    this.#check()
    checkTransaction(transaction, this.limits)
    const failed = transaction.conditions
      .filter(({ key, modRevision }) => (this.#live.get(key)?.modRevision ?? 0) !== modRevision)
      .map(({ key }) => ({ key, current: this.#live.get(key) }))
    if (failed.length > 0) return { committed: false, revision: this.#head, failed }
    const writes = transaction.writes.filter((write) => write.type === 'put' || this.#live.get(write.key) !== undefined)
    if (writes.length === 0) return { committed: true, revision: this.#head }
    const revision = ++this.#head
    const batch = { revision, events: writes.map((write) => this.#apply(write, revision)) }
    this.#log.push(batch)
    this.#feed.append(batch)
    return { committed: true, revision }
  }

  async *watch(prefix: string, { after, signal }: { after: number; signal: AbortSignal }): AsyncGenerator<StoreBatch, void, undefined> {
    if (signal.aborted) return
    this.#check(after)
    yield* this.#feed.watch(prefix, { after, signal, backfill: (position) => this.#logAfter(position) })
  }

  async compact(revision: number): Promise<void> {
    this.#check(Math.max(revision, this.#compacted))
    if (revision <= this.#compacted) return
    const kept = this.#logIndex(revision)
    for (const { events } of this.#log.slice(0, kept)) {
      for (const { key } of events) this.#forget(key, revision)
    }
    this.#log = this.#log.slice(kept)
    this.#compacted = revision
  }

  head(): number {
    this.#check()
    return this.#head
  }

  async compactedRevision(): Promise<number> {
    this.#check()
    return this.#compacted
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#feed.fail(closedError())
  }

  #check(revision?: number, signal?: AbortSignal): void {
    signal?.throwIfAborted()
    if (this.#closed) throw closedError()
    if (revision === undefined) return
    if (revision < this.#compacted)
      throw new StoreError('STORE_COMPACTED', `revision ${revision} is compacted, the oldest is ${this.#compacted}`)
    if (revision > this.#head)
      throw new StoreError('STORE_FUTURE_REVISION', `revision ${revision} is not yet reached, the newest is ${this.#head}`)
  }

  #apply(write: StoreWrite, revision: number): StoreEvent {
    const { key } = write
    const previous = this.#live.get(key)
    const createRevision = previous?.createRevision ?? revision
    if (write.type === 'delete') {
      this.#live.delete(key)
      this.#remember(key, { revision })
      return { type: 'delete', key, value: noValue, createRevision, previous }
    }
    const entry: StoreEntry = { key, value: new Uint8Array(write.value), createRevision, modRevision: revision }
    this.#live.set(entry)
    this.#remember(key, { revision, entry })
    return previous === undefined
      ? { type: 'put', key, value: entry.value, createRevision }
      : { type: 'put', key, value: entry.value, createRevision, previous }
  }

  #remember(key: string, version: Version): void {
    const history = this.#histories.get(key)
    if (history === undefined) this.#histories.set({ key, versions: [version] })
    else history.versions.push(version)
  }

  /** Drops what was replaced at or below the revision, and the key itself when it had been deleted by then. */
  #forget(key: string, revision: number): void {
    const history = this.#histories.get(key)
    if (history === undefined) return
    const next = history.versions.findIndex((version) => version.revision > revision)
    const current = (next === -1 ? history.versions.length : next) - 1
    if (current < 0) return
    history.versions = history.versions.slice(history.versions[current]?.entry === undefined ? current + 1 : current)
    if (history.versions.length === 0) this.#histories.delete(key)
  }

  /** Index of the first batch above the revision: there is one batch for each. */
  #logIndex(revision: number): number {
    return Math.max(0, revision - this.#compacted)
  }

  #logAfter(position: number): readonly StoreBatch[] {
    this.#check(position)
    const index = this.#logIndex(position)
    return this.#log.slice(index, index + 64)
  }
}

/** A {@link Store} in this process's memory, for libraries, tests and simulations. */
export const createMemoryStore = (options?: MemoryStoreOptions): Store => new MemoryStore(options)

const closedError = (): StoreError => new StoreError('STORE_CLOSED', 'the store is closed')

const entryAt = (history: KeyHistory | undefined, revision: number): StoreEntry | undefined =>
  history?.versions.findLast((version) => version.revision <= revision)?.entry
