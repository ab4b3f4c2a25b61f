/** What the worker is started with. */
export interface WorkerSetup {
  readonly file: string
  readonly maxBytes: number | undefined
}

/**
 * Transactions as one flat list, because cloning many small objects costs more than committing them:
 * for each the number of conditions and of writes, then key and revision of each condition,
 * then key and length of the value of each write, -1 for a deletion. The values follow each other in `values`.
 */
export interface CommitRequest {
  readonly type: 'commit'
  readonly ops: readonly (string | number)[]
  readonly values: Uint8Array
}

/**
 * Answers in the order of the transactions. Committed: 1 and the revision, then for each write its creation revision (0: it changed nothing)
 * and of the previous entry modification revision (0: none), creation revision and length. Refused: 0, the head and the number of failed
 * conditions, then for each its index, and of the current entry modification revision (0: none), creation revision and length.
 */
export interface CommitReply {
  readonly type: 'committed'
  readonly answers: readonly number[]
  readonly values: Uint8Array
}

export interface CompactRequest {
  readonly type: 'compact'
  readonly revision: number
}

export interface CloseRequest {
  readonly type: 'close'
}

export type WorkerRequest = CommitRequest | CompactRequest | CloseRequest

/** An error of SQLite as it crosses the thread. */
export interface SqliteFailure {
  readonly message: string
  /** SQLite's extended result code; 0 when it was no error of SQLite. */
  readonly errcode: number
  /** The commit itself failed: what was written is perhaps on disk. */
  readonly committing: boolean
}

export type WorkerReply =
  | { readonly type: 'ready'; readonly head: number; readonly compacted: number }
  | { readonly type: 'format'; readonly found: number }
  | { readonly type: 'failed'; readonly failure: SqliteFailure }
  | CommitReply
  | { readonly type: 'compacted' }
  | { readonly type: 'closed' }
