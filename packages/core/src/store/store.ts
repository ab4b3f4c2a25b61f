import { capability } from '../capability/capability.ts'

/** One key of the store, as it was written at `modRevision`. */
export interface StoreEntry {
  readonly key: string
  readonly value: Uint8Array
  /** Revision of the write that created the key (again after a deletion). */
  readonly createRevision: number
  /** Revision of the latest write. */
  readonly modRevision: number
}

/** Holds when the key was last written at exactly `modRevision`; `0` holds when the key is absent. */
export interface StoreCondition {
  readonly key: string
  readonly modRevision: number
}

export type StoreWrite =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: string }

export interface StoreTransaction {
  /** May name keys that are not written. */
  readonly conditions: readonly StoreCondition[]
  /** At most one write for a key. */
  readonly writes: readonly StoreWrite[]
}

export type CommitResult =
  | { readonly committed: true; readonly revision: number }
  /** `failed` holds each key whose condition did not hold, with its current entry. */
  | {
      readonly committed: false
      readonly revision: number
      readonly failed: readonly { readonly key: string; readonly current?: StoreEntry }[]
    }

export interface StoreListOptions {
  /** The first key to return (inclusive); must lie under the prefix. */
  readonly startKey?: string
  readonly limit?: number
  /** Read as of this revision. Unset: the latest. Compacted: {@link StoreError} `STORE_COMPACTED`. Not yet reached: `STORE_FUTURE_REVISION`. */
  readonly revision?: number
  readonly signal?: AbortSignal
}

export interface StoreList {
  readonly entries: readonly StoreEntry[]
  /** Number of keys from `startKey` to the end of the prefix, whatever the limit. */
  readonly count: number
  /** The revision that was read: the store's head unless one was asked for. */
  readonly revision: number
}

export interface StoreEvent {
  readonly type: 'put' | 'delete'
  readonly key: string
  /** Empty for a deletion. */
  readonly value: Uint8Array
  readonly createRevision: number
  /** The value before this event, absent for a creation. */
  readonly previous?: StoreEntry
}

/** One whole revision: every event of one commit under the prefix, or none for a progress notification. */
export interface StoreBatch {
  readonly revision: number
  readonly events: readonly StoreEvent[]
}

/**
 * A revisioned key-value store: the shape that etcd, SQLite and memory share.
 *
 * Keys are UTF-8 strings ordered by their bytes. Each commit that writes raises the revision by one (etcd: at least one).
 * Revisions are safe integers and never reused. An acknowledged commit is durable when `features.durable`.
 * Implementations throw only {@link StoreError}. They must not compact by themselves.
 */
export interface Store {
  readonly limits: {
    /** Conditions plus writes of one commit. */
    readonly maxOps: number
    /** Bytes of keys and values of one commit. */
    readonly maxBytes: number
  }
  readonly features: {
    readonly durable: boolean
    /** Nobody else writes: the head is known without asking. */
    readonly soleWriter: boolean
  }
  get(
    key: string,
    options?: { readonly revision?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly entry?: StoreEntry; readonly revision: number }>
  list(prefix: string, options?: StoreListOptions): Promise<StoreList>
  /**
   * All or nothing. What changes nothing (no writes, deletions of absent keys) raises no revision and makes no event.
   * `STORE_UNAVAILABLE`: surely not applied. `STORE_OUTCOME_UNKNOWN`: perhaps applied. `STORE_TOO_LARGE`: a limit was exceeded.
   */
  commit(transaction: StoreTransaction): Promise<CommitResult>
  /**
   * Batches with a revision above `after`, in order, each whole. Ends silently when the signal aborts.
   * Throws `STORE_COMPACTED` when `after` lies below the compacted revision, `STORE_FUTURE_REVISION` when it lies above the head,
   * `STORE_CLOSED` when the store is closed, `STORE_UNAVAILABLE` when the connection is lost:
   * the caller resumes from the last revision that it saw. A consumer that reads too slowly is not buffered without bound:
   * its watch ends with `STORE_SLOW_CONSUMER` and resumes likewise.
   */
  watch(prefix: string, options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<StoreBatch>
  /**
   * Forgets versions that were replaced at or below `revision`. Reads and watches from below it are refused afterwards.
   * Called by core alone. Below the compacted revision it does nothing; above the head it throws `STORE_FUTURE_REVISION`.
   */
  compact(revision: number): Promise<void>
  /** The head revision, linearizable: not older than any commit acknowledged before the call. A store with one writer knows it without asking. */
  head(): Promise<number> | number
  /** The oldest revision that can still be read. */
  compactedRevision(): Promise<number>
  close(): Promise<void>
}

export const StoreCap = capability<Store>('store/v1', { swappable: true })
