import { DatabaseSync } from 'node:sqlite'

/** Format of the data that this release reads and writes. */
export const dataFormat = 1

/** `application_id` of the file: "cont". */
const applicationId = 0x636f6e74

/** Writes of one commit share a revision; an id is the revision times this, plus the place of the write in its commit. */
export const idsPerRevision = 128

export const firstIdOf = (revision: number): number => revision * idsPerRevision
export const revisionOf = (id: number): number => Math.floor(id / idsPerRevision)

const schema = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE version (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    value BLOB NOT NULL
  );
  CREATE INDEX version_by_key ON version (key, id, deleted);
  CREATE TABLE current (key TEXT PRIMARY KEY, id INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('head', 1), ('compacted', 1), ('swept', 1);
`

/** The data has a format of a later release. */
export interface FormatMismatch {
  readonly found: number
}

/**
 * Opens the file for the one connection that writes, and lays out an empty one. Durable: each commit is in the log on disk when it returns.
 * The log is carried over into the file every 1,000 pages, so that it stays at a few megabytes.
 */
export function openForWriting(file: string, maxBytes: number | undefined): DatabaseSync | FormatMismatch {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  try {
    const found = pragma(db, 'user_version')
    if (found > dataFormat) {
      db.close()
      return { found }
    }
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216')
    db.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY')
    if (found === 0)
      db.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${dataFormat}; COMMIT`)
    if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pragma(db, 'page_size'))}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the file once more, for reads that commits do not hold up. */
export function openForReading(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
  db.exec('PRAGMA cache_size = -4096')
  return db
}

export const readMeta = (db: DatabaseSync, name: 'head' | 'compacted' | 'swept'): number =>
  (db.prepare('SELECT value FROM meta WHERE name = ?').get(name) as { value: number }).value

const pragma = (db: DatabaseSync, name: string): number =>
  Object.values(db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[0] as number
