import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import {
  type CommitResult,
  checkTransaction,
  defaultStoreLimits,
  EventFeed,
  type Store,
  type StoreBatch,
  type StoreEntry,
  StoreError,
  type StoreList,
  type StoreListOptions,
  type StoreTransaction,
  writeSnapshot,
} from '@continuo/core'
import { CommitQueue } from './commit-queue.ts'
import { DataLock } from './data-lock.ts'
import { type KeyRange, Reader, rangeOf } from './reader.ts'
import { restoreSnapshot } from './restore.ts'
import { closedError, failureOf, storeErrorOf } from './sqlite-errors.ts'
import { startWriter, type Writer } from './writer.ts'

/** Writers that may be lost one after another, without a commit between, before the store gives up. */
const maxLosses = 3

/** Values kept for watchers that read behind; those that are further back read from the file. */
const feedBytes = 8 << 20

export interface SqliteStoreOptions {
  /** The database refuses to grow beyond this. Default: the disk decides. */
  readonly maxBytes?: number
  /** Called when the writing thread was lost, before another one is started; `replaced` is false when the store gives up. */
  readonly onWriterLost?: (loss: { readonly cause: unknown; readonly replaced: boolean }) => void
}

/**
 * A {@link Store} in one SQLite file. A commit is acknowledged after it is on disk; commits that come together share one write to it.
 * Writing happens in a worker thread, reading on a second connection in this one, in slices of at most 500 entries or 1 MiB.
 * A worker that dies is replaced: until the next one is up, reads go on and commits are `STORE_UNAVAILABLE`.
 * Needs its directory for itself.
 */
export class SqliteStore implements Store {
  readonly limits: Store['limits'] = defaultStoreLimits
  readonly features = { durable: true, soleWriter: true } as const
  readonly #file: string
  readonly #lock: DataLock
  readonly #options: SqliteStoreOptions
  #writer: Writer
  readonly #queue: CommitQueue
  readonly #reader: Reader
  readonly #feed: EventFeed
  /** The newest revision that was acknowledged or read. */
  #head: number
  #compacted: number
  #closing: Promise<void> | undefined
  #failure: StoreError | undefined
  /** While a lost writer is being replaced. */
  #replacing: Promise<void> | undefined
  /** Writers that were lost since the last commit. */
  #losses = 0

  private constructor(file: string, lock: DataLock, writer: Writer, reader: Reader, options: SqliteStoreOptions) {
    this.#file = file
    this.#options = options
    this.#lock = lock
    this.#writer = writer
    this.#reader = reader
    this.#head = writer.head
    this.#compacted = writer.compacted
    this.#feed = new EventFeed({ head: writer.head, maxBytes: feedBytes })
    this.#queue = new CommitQueue(
      (request) => this.#writer.send(request),
      (batch) => {
        this.#head = Math.max(this.#head, batch.revision)
        this.#feed.append(batch)
      },
    )
    this.#listen(writer)
  }

  #listen(writer: Writer): void {
    writer.listen({
      onCommitted: (reply) => {
        this.#losses = 0
        this.#queue.settle(reply)
      },
      onCommitFailed: (failure) => this.#queue.fail(storeErrorOf(failure, this.#file)),
      onLost: (cause) => this.#lose(cause),
    })
  }

  /**
   * Opens the store in a directory, which is made when it does not exist. Throws `STORE_LOCKED` when another store has it open,
   * `STORE_FORMAT` when a later release wrote it, `STORE_CORRUPT` when it is damaged.
   */
  static async open(directory: string, options: SqliteStoreOptions = {}): Promise<SqliteStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const file = databaseFile(directory)
    const lock = DataLock.acquire(directory)
    let writer: Writer | undefined
    try {
      writer = await startWriter({ file, maxBytes: options.maxBytes })
      return new SqliteStore(file, lock, writer, new Reader(file), options)
    } catch (error) {
      await writer?.close()
      lock.release()
      throw error instanceof StoreError ? error : storeErrorOf(failureOf(error), file)
    }
  }

  /**
   * Makes a store from a snapshot, in a directory without one. Entries keep their revisions; the next commit gets one far above
   * any that the old store can have issued after the snapshot. Returns the revision at which it begins.
   */
  static async restore(snapshot: string, directory: string): Promise<number> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const lock = DataLock.acquire(directory)
    try {
      return await restoreSnapshot(createReadStream(snapshot), databaseFile(directory))
    } finally {
      lock.release()
    }
  }

  async get(
    key: string,
    { revision, signal }: { revision?: number; signal?: AbortSignal } = {},
  ): Promise<{ entry?: StoreEntry; revision: number }> {
    this.#check(revision, signal)
    if (revision !== undefined) return { entry: this.#read(() => this.#reader.at(key, revision)), revision }
    const { entry, head } = this.#read(() => this.#reader.latest(key))
    return { entry, revision: this.#seen(head) }
  }

  async list(
    prefix: string,
    { startKey, limit = Number.MAX_SAFE_INTEGER, revision: asked, signal }: StoreListOptions = {},
  ): Promise<StoreList> {
    this.#check(asked, signal)
    const range = rangeOf(prefix, startKey)
    const first = this.#read(() =>
      asked === undefined ? this.#reader.sliceLatest(range, limit) : { ...this.#reader.sliceAt(range, limit, asked), head: asked },
    )
    const revision = asked ?? this.#seen(first.head)
    const entries = [...first.entries]
    let { next } = first
    while (next !== undefined && entries.length < limit) {
      const start = next
      await this.#pause(revision, signal)
      const slice = this.#read(() => this.#reader.sliceAt({ ...range, start }, limit - entries.length, revision))
      for (const entry of slice.entries) entries.push(entry)
      next = slice.next
    }
    const behind = next === undefined ? 0 : await this.#count({ ...range, start: next }, revision, signal)
    return { entries, count: entries.length + behind, revision }
  }

  async commit(transaction: StoreTransaction): Promise<CommitResult> {
    this.#check()
    this.#checkWriter()
    return this.#queue.add(transaction, checkTransaction(transaction, this.limits))
  }

  async *watch(prefix: string, { after, signal }: { after: number; signal: AbortSignal }): AsyncGenerator<StoreBatch, void, undefined> {
    if (signal.aborted) return
    this.#check(after)
    const backfill = (position: number): readonly StoreBatch[] => {
      this.#check(position)
      return this.#read(() => this.#reader.batchesAfter(position))
    }
    yield* this.#feed.watch(prefix, { after, signal, backfill })
  }

  async compact(revision: number): Promise<void> {
    this.#check(Math.max(revision, this.#compacted))
    if (revision <= this.#compacted) return
    this.#checkWriter()
    this.#compacted = revision
    await this.#writer.compact(revision).catch((failure) => {
      throw storeErrorOf(failure, this.#file)
    })
  }

  head(): number {
    this.#check()
    return this.#head
  }

  async compactedRevision(): Promise<number> {
    this.#check()
    return this.#compacted
  }

  /** Writes the state at one revision to a file in the portable form of `writeSnapshot`; the file appears when it is complete and on disk. */
  async snapshot(path: string, options?: { readonly base?: number }): Promise<void> {
    const partial = `${path}.partial`
    const file = await open(partial, 'w', 0o600)
    try {
      for await (const lines of writeSnapshot(this, options)) await file.write(lines)
      await file.sync()
      await file.close()
      await rename(partial, path)
    } catch (error) {
      await file.close().catch(() => {})
      await rm(partial, { force: true })
      throw error
    }
  }

  /** Commits that were accepted are still answered. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    this.#failure ??= closedError()
    this.#feed.fail(this.#failure)
    while (!this.#queue.idle) await setImmediate()
    await this.#replacing
    this.#reader.close()
    await this.#writer.close()
    this.#lock.release()
  }

  /** The writer is gone: what it had been given is perhaps on disk, what still waited is not. */
  #lose(cause: unknown): void {
    this.#queue.abandon(
      new StoreError('STORE_OUTCOME_UNKNOWN', `the writer of ${this.#file} stopped before it answered`, { cause }),
      this.#withoutWriter(),
    )
    // One that dies before it was put to use is noticed by whoever starts it.
    if (this.#replacing !== undefined) return
    this.#replacing = this.#replace(cause).finally(() => {
      this.#replacing = undefined
    })
  }

  /** Starts another writer, and tells watchers what the lost one committed without saying so. */
  async #replace(cause: unknown): Promise<void> {
    for (let lost = cause; ; ) {
      const replaced = this.#failure === undefined && ++this.#losses <= maxLosses
      this.#options.onWriterLost?.({ cause: lost, replaced })
      if (!replaced) return this.#giveUp(lost)
      try {
        const writer = await startWriter({ file: this.#file, maxBytes: this.#options.maxBytes })
        this.#listen(writer)
        await this.#catchUp()
        this.#writer = writer
        if (writer.isRunning) return
        lost = 'it ended as soon as it had begun'
      } catch (error) {
        lost = error
      }
    }
  }

  async #catchUp(): Promise<void> {
    for (;;) {
      const missed = this.#read(() => this.#reader.batchesAfter(this.#feed.head))
      if (missed.length === 0) return
      for (const batch of missed) this.#feed.append(batch)
      this.#head = Math.max(this.#head, this.#feed.head)
      await setImmediate()
    }
  }

  #giveUp(cause: unknown): void {
    this.#failure ??= new StoreError('STORE_UNAVAILABLE', `the writer of ${this.#file} has stopped`, {
      hint: 'Restart the process.',
      cause,
    })
    this.#feed.fail(this.#failure)
  }

  #withoutWriter(): StoreError {
    return new StoreError('STORE_UNAVAILABLE', `the writer of ${this.#file} stopped and is being replaced`, {
      hint: 'Try again in a moment.',
    })
  }

  #checkWriter(): void {
    if (this.#replacing !== undefined) throw this.#withoutWriter()
  }

  async #count(range: KeyRange, revision: number, signal: AbortSignal | undefined): Promise<number> {
    let count = 0
    for (let next: string | undefined = range.start; next !== undefined; ) {
      const start: string = next
      const part = this.#read(() => this.#reader.countAt({ ...range, start }, revision))
      count += part.count
      next = part.next
      if (next !== undefined) await this.#pause(revision, signal)
    }
    return count
  }

  /** Lets the event loop run between two slices, during which a compaction may have overtaken the read. */
  async #pause(revision: number, signal: AbortSignal | undefined): Promise<void> {
    await setImmediate()
    this.#check(revision, signal)
  }

  /** A read may show a commit whose acknowledgement is still on its way here: nobody may be told less from then on. */
  #seen(head: number): number {
    this.#head = Math.max(this.#head, head)
    return head
  }

  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(failureOf(error), this.#file)
    }
  }

  #check(revision?: number, signal?: AbortSignal): void {
    signal?.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
    if (revision === undefined) return
    if (revision < this.#compacted)
      throw new StoreError('STORE_COMPACTED', `revision ${revision} is compacted, the oldest is ${this.#compacted}`)
    if (revision > this.#head)
      throw new StoreError('STORE_FUTURE_REVISION', `revision ${revision} is not yet reached, the newest is ${this.#head}`)
  }
}

const databaseFile = (directory: string): string => join(directory, 'store.db')
