import { fenceKey } from '../cache/catch-up.ts'
import type { Clock } from '../clock/clock.ts'
import { ContinuoError } from '../errors/continuo-error.ts'
import { metaRoot } from '../resources/storage-key.ts'
import { readSnapshot, restoreGap, type SnapshotHeader } from '../store/snapshot.ts'
import type { CommitResult, Store, StoreEntry, StoreTransaction, StoreWrite } from '../store/store.ts'
import { isStoreError, StoreError } from '../store/store-error.ts'
import { parseVersionBase, readVersionBase, versionBaseKey } from './resource-version.ts'

/** Stands in a store from the first to the last commit of a restore: what holds it is neither the old state nor the new. */
const restoringKey = `${metaRoot}restoring`

/** What belongs to a store and not to its state. */
const ownKeys: ReadonlySet<string> = new Set([restoringKey, versionBaseKey, fenceKey])

const entriesPerCommit = 100
const bytesPerCommit = 1 << 20
/** Tries of a commit that did not surely happen; they write the same again. */
const attempts = 10
const attemptDelay = 1_000

export interface RestoreOptions {
  readonly clock: Clock
  /** Give up what the store holds. Default: a store that is not empty is refused with `STORE_NOT_EMPTY`. */
  readonly replace?: boolean
  readonly signal?: AbortSignal
}

export interface RestoredSnapshot {
  readonly entries: number
  /** Every resource version that was given out before lies at or below it. */
  readonly base: number
}

/**
 * Fills a store of any kind from a snapshot of any kind of store. Nobody else may use the store meanwhile.
 *
 * The snapshot is read twice, entry by entry: it is proven whole before anything is written. Values are kept byte for byte; revisions are the
 * new store's, and the base of resource versions is raised above all that the old cluster can have given out, so that none is given out twice
 * and watches from before are told that they are too old. What is interrupted leaves a store that refuses to serve until a restore has finished.
 * @param open Opens the snapshot from its beginning; called twice.
 */
export async function restoreSnapshot(
  store: Store,
  open: () => AsyncIterable<Uint8Array | string>,
  { clock, replace = false, signal }: RestoreOptions,
): Promise<RestoredSnapshot> {
  const { newest } = await examine(open(), store)
  const marker = await store.get(restoringKey)
  const held = await store.list('', { limit: 1 })
  if (!replace && marker.entry === undefined && held.count > 0) {
    throw new ContinuoError('STORE_NOT_EMPTY', `the store holds ${held.count} keys: a snapshot is restored into an empty store only`, {
      hint: 'Choose an empty store, or give up what it holds with --replace.',
    })
  }
  const base = Math.max(newest, (await readVersionBase(store)) + held.revision) + restoreGap
  const begun = await store.commit({
    conditions: [{ key: restoringKey, modRevision: marker.entry?.modRevision ?? 0 }],
    writes: [
      { type: 'put', key: restoringKey, value: Buffer.from(String(base)) },
      { type: 'put', key: versionBaseKey, value: Buffer.from(String(base)) },
    ],
  })
  if (!begun.committed) throw overtaken()
  const commit = (writes: readonly StoreWrite[]): Promise<void> =>
    commitSurely(store, { conditions: [{ key: restoringKey, modRevision: begun.revision }], writes }, clock, signal)
  await clear(store, commit)
  const entries = await fill(open(), commit)
  await commit([{ type: 'delete', key: restoringKey }])
  return { entries, base }
}

/** Throws `STORE_RESTORING` when a restore into the store was begun and has not finished. */
export async function refuseUnfinishedRestore(store: Store): Promise<void> {
  const { entry } = await store.get(restoringKey)
  if (entry === undefined) return
  throw new ContinuoError('STORE_RESTORING', 'a snapshot is being restored into the store, or restoring it was interrupted', {
    hint: 'Wait for it, or run `continuo snapshot restore` again.',
  })
}

/** Reads a whole snapshot and writes nothing. Finds the newest resource version that it knows of. */
async function examine(chunks: AsyncIterable<Uint8Array | string>, store: Store): Promise<{ newest: number }> {
  let header: SnapshotHeader = { revision: 0, base: 0 }
  let base = 0
  for await (const part of readSnapshot(chunks)) {
    if (!isEntry(part)) header = part
    else if (part.key === versionBaseKey) base = parseVersionBase(part.value)
    else if (bytesOf(part) + Buffer.byteLength(restoringKey) > store.limits.maxBytes) {
      throw new StoreError('STORE_TOO_LARGE', `${part.key} has ${part.value.byteLength} bytes, the store takes ${store.limits.maxBytes}`, {
        hint: 'Choose a store that takes larger values; nothing was restored.',
      })
    }
  }
  return { newest: Math.max(header.base, base) + header.revision }
}

async function clear(store: Store, commit: (writes: readonly StoreWrite[]) => Promise<void>): Promise<void> {
  for (;;) {
    const { entries } = await store.list('', { limit: entriesPerCommit })
    const old = entries.filter(({ key }) => key !== restoringKey && key !== versionBaseKey)
    if (old.length === 0) return
    await commit(old.map(({ key }) => ({ type: 'delete', key })))
  }
}

async function fill(chunks: AsyncIterable<Uint8Array | string>, commit: (writes: readonly StoreWrite[]) => Promise<void>): Promise<number> {
  let writes: StoreWrite[] = []
  let bytes = 0
  let entries = 0
  for await (const part of readSnapshot(chunks)) {
    if (!isEntry(part) || ownKeys.has(part.key)) continue
    if (writes.length >= entriesPerCommit || (writes.length > 0 && bytes + bytesOf(part) > bytesPerCommit)) {
      await commit(writes)
      writes = []
      bytes = 0
    }
    writes.push({ type: 'put', key: part.key, value: part.value })
    bytes += bytesOf(part)
    entries++
  }
  if (writes.length > 0) await commit(writes)
  return entries
}

/** What may have been written is written again: under the marker nobody else writes. */
async function commitSurely(store: Store, transaction: StoreTransaction, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  for (let left = attempts; ; left--) {
    signal?.throwIfAborted()
    let result: CommitResult
    try {
      result = await store.commit(transaction)
    } catch (error) {
      if (left <= 1 || !isStoreError(error, 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN')) throw error
      await clock.sleep(attemptDelay, signal)
      continue
    }
    if (result.committed) return
    // The last commit takes the marker away: that it is gone after an unknown outcome is what was wanted.
    const removed = transaction.writes.some(({ type, key }) => type === 'delete' && key === restoringKey)
    if (removed && left < attempts && result.failed.every(({ current }) => current === undefined)) return
    throw overtaken()
  }
}

const isEntry = (part: SnapshotHeader | StoreEntry): part is StoreEntry => 'key' in part

const bytesOf = ({ key, value }: StoreEntry): number => Buffer.byteLength(key) + value.byteLength

const overtaken = (): ContinuoError =>
  new ContinuoError('STORE_RESTORING', 'another restore into the same store has begun', { hint: 'Let one of them finish.' })
