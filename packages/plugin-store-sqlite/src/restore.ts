import { rename, rm, stat } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { ContinuoError, readSnapshot, restoreGap, type SnapshotHeader, type StoreEntry } from '@continuo/core'
import { firstIdOf, idsPerRevision, openForWriting } from './database.ts'
import { newerFormat } from './sqlite-errors.ts'

const rowsPerStep = 500

/** Builds the database beside its place and moves it there when the snapshot turned out to be whole. Returns its revision. */
export async function restoreSnapshot(snapshot: AsyncIterable<Uint8Array>, file: string): Promise<number> {
  if (await exists(file)) {
    throw new ContinuoError('STORE_NOT_EMPTY', `${file} exists: a snapshot is restored into an empty directory only`, {
      hint: 'Move the old data away.',
    })
  }
  const partial = `${file}.restoring`
  await removeDatabase(partial)
  const db = openForWriting(partial, undefined)
  if ('found' in db) throw newerFormat(partial, db.found)
  try {
    const revision = await fill(db, snapshot)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE')
    db.close()
    await rename(partial, file)
    return revision
  } catch (error) {
    db.close()
    await removeDatabase(partial)
    throw error
  }
}

async function fill(db: DatabaseSync, snapshot: AsyncIterable<Uint8Array>): Promise<number> {
  const version = db.prepare('INSERT INTO version (id, key, created, previous, deleted, value) VALUES (?, ?, ?, 0, 0, ?)')
  const current = db.prepare('INSERT INTO current (key, id, created) VALUES (?, ?, ?)')
  const placesUsed = new Map<number, number>()
  let header: SnapshotHeader = { revision: 0, base: 0 }
  let rows = 0
  db.exec('BEGIN')
  for await (const part of readSnapshot(snapshot)) {
    if (!isEntry(part)) {
      header = part
      continue
    }
    const revision = part.modRevision + header.base
    const place = placesUsed.get(revision) ?? 0
    if (place >= idsPerRevision)
      throw new ContinuoError('STORE_SNAPSHOT_UNFIT', `more than ${idsPerRevision} entries of the snapshot share revision ${revision}`)
    placesUsed.set(revision, place + 1)
    const id = firstIdOf(revision) + place
    version.run(id, part.key, part.createRevision + header.base, part.value)
    current.run(part.key, id, part.createRevision + header.base)
    if (++rows % rowsPerStep === 0) await setImmediate()
  }
  const head = header.revision + header.base + restoreGap
  db.prepare('UPDATE meta SET value = ?').run(head)
  db.exec('COMMIT')
  return head
}

const isEntry = (part: SnapshotHeader | StoreEntry): part is StoreEntry => 'key' in part

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

async function removeDatabase(file: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(file + suffix, { force: true })
}
