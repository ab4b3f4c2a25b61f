import type { DatabaseSync } from 'node:sqlite'
import { prefixEnd, type StoreBatch, type StoreEntry, type StoreEvent } from '@continuo/core'
import { firstIdOf, openForReading, revisionOf } from './database.ts'

/** What one synchronous read may fetch; the event loop runs between two. */
const sliceEntries = 500
const sliceBytes = 1 << 20
const sliceCount = 4_000

type Row = readonly (string | number | Uint8Array)[]

/** Keys from `start` on, up to but not including `end`. A blob sorts behind every text: it stands for no end. */
export interface KeyRange {
  readonly start: string
  readonly end: string | Uint8Array
}

const noEnd = new Uint8Array(0)

export const rangeOf = (prefix: string, startKey: string | undefined): KeyRange => ({
  start: startKey !== undefined && Buffer.compare(Buffer.from(startKey), Buffer.from(prefix)) > 0 ? startKey : prefix,
  end: prefixEnd(prefix) ?? noEnd,
})

/** The smallest key behind another. */
export const successor = (key: string): string => `${key}\u0001`

export interface Slice {
  readonly entries: readonly StoreEntry[]
  /** Where the next slice starts; absent when the range is exhausted. */
  readonly next?: string
}

/** Synchronous reads on a connection of their own. Each is short: it stops after 500 entries or 1 MiB. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #statements: ReturnType<typeof prepare>

  constructor(file: string) {
    this.#db = openForReading(file)
    this.#statements = prepare(this.#db)
  }

  /** The latest state of a key, and the head, of one moment. */
  latest(key: string): { entry: StoreEntry | undefined; head: number } {
    return this.#atOnce(() => {
      const row = this.#statements.latest.get(key) as Row | undefined
      return {
        entry: row === undefined ? undefined : entryOf(key, row[0] as number, row[1] as number, row[2] as Uint8Array),
        head: this.#head(),
      }
    })
  }

  at(key: string, revision: number): StoreEntry | undefined {
    const row = this.#statements.at.get(key, firstIdOf(revision + 1)) as Row | undefined
    return row === undefined || row[2] === 1 ? undefined : entryOf(key, row[0] as number, row[1] as number, row[3] as Uint8Array)
  }

  /** The beginning of the latest state of a range, and the head that it belongs to. */
  sliceLatest({ start, end }: KeyRange, limit: number): Slice & { head: number } {
    return this.#atOnce(() => {
      const rows = this.#statements.sliceLatest.iterate(start, end, Math.min(limit, sliceEntries) + 1) as Iterable<unknown> as Iterable<Row>
      return { ...this.#slice(rows, limit), head: this.#head() }
    })
  }

  sliceAt({ start, end }: KeyRange, limit: number, revision: number): Slice {
    const ids = this.#statements.sliceAt.iterate(
      start,
      end,
      firstIdOf(revision + 1),
      Math.min(limit, sliceEntries) + 1,
    ) as Iterable<unknown> as Iterable<Row>
    const values = this.#statements.version
    function* rows(): Generator<Row> {
      for (const [key, id] of ids) {
        const [created, value] = values.get(id as number) as unknown as Row
        yield [key as string, id as number, created as number, value as Uint8Array]
      }
    }
    return this.#slice(rows(), limit)
  }

  /** Counts keys that existed at a revision, at most some thousands; `next` says where to go on. */
  countAt({ start, end }: KeyRange, revision: number): { count: number; next?: string } {
    const [count, last] = this.#statements.countAt.get(start, end, firstIdOf(revision + 1), sliceCount) as unknown as [
      number,
      string | null,
    ]
    return count < sliceCount ? { count } : { count, next: successor(last as string) }
  }

  /** The next whole revisions behind one. */
  batchesAfter(revision: number): readonly StoreBatch[] {
    const batches: { revision: number; events: StoreEvent[] }[] = []
    let bytes = 0
    for (const row of this.#statements.history.iterate(firstIdOf(revision + 1)) as Iterable<unknown> as Iterable<Row>) {
      const id = row[0] as number
      const current = batches.at(-1)
      if (current?.revision !== revisionOf(id)) {
        if (batches.length >= sliceEntries || bytes > sliceBytes) break
        batches.push({ revision: revisionOf(id), events: [] })
      }
      const event = eventOf(row)
      bytes += event.value.byteLength + (event.previous?.value.byteLength ?? 0)
      batches.at(-1)?.events.push(event)
    }
    return batches
  }

  close(): void {
    this.#db.close()
  }

  #slice(rows: Iterable<Row>, limit: number): Slice {
    const entries: StoreEntry[] = []
    let bytes = 0
    for (const row of rows) {
      if (entries.length >= Math.min(limit, sliceEntries) || bytes > sliceBytes) return { entries, next: row[0] as string }
      const entry = entryOf(row[0] as string, row[1] as number, row[2] as number, row[3] as Uint8Array)
      bytes += entry.value.byteLength
      entries.push(entry)
    }
    return { entries }
  }

  #head(): number {
    return (this.#statements.head.get() as unknown as Row)[0] as number
  }

  /** Several statements over one state. */
  #atOnce<T>(read: () => T): T {
    this.#statements.begin.run()
    try {
      return read()
    } finally {
      this.#statements.commit.run()
    }
  }
}

const entryOf = (key: string, id: number, createRevision: number, value: Uint8Array): StoreEntry => ({
  key,
  value,
  createRevision,
  modRevision: revisionOf(id),
})

function eventOf([, key, created, deleted, value, previousId, previousCreated, previousValue]: Row): StoreEvent {
  const event = {
    type: deleted === 1 ? ('delete' as const) : ('put' as const),
    key: key as string,
    value: value as Uint8Array,
    createRevision: created as number,
  }
  if (previousId === null) return event
  return { ...event, previous: entryOf(event.key, previousId as number, previousCreated as number, previousValue as Uint8Array) }
}

function prepare(db: DatabaseSync) {
  const rows = (sql: string) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  return {
    begin: db.prepare('BEGIN'),
    commit: db.prepare('COMMIT'),
    head: rows("SELECT value FROM meta WHERE name = 'head'"),
    latest: rows('SELECT v.id, v.created, v.value FROM current c CROSS JOIN version v ON v.id = c.id WHERE c.key = ?'),
    at: rows('SELECT id, created, deleted, value FROM version INDEXED BY version_by_key WHERE key = ? AND id < ? ORDER BY id DESC LIMIT 1'),
    version: rows('SELECT created, value FROM version WHERE id = ?'),
    sliceLatest: rows(
      'SELECT c.key, c.id, c.created, v.value FROM current c CROSS JOIN version v ON v.id = c.id WHERE c.key >= ? AND c.key < ? ORDER BY c.key LIMIT ?',
    ),
    sliceAt: rows(`SELECT key, max(id), deleted FROM version INDEXED BY version_by_key
      WHERE key >= ? AND key < ? AND id < ? GROUP BY key HAVING deleted = 0 ORDER BY key LIMIT ?`),
    countAt: rows(`SELECT count(*), max(key) FROM (SELECT key, max(id), deleted FROM version INDEXED BY version_by_key
      WHERE key >= ? AND key < ? AND id < ? GROUP BY key HAVING deleted = 0 ORDER BY key LIMIT ?)`),
    history: rows(`SELECT v.id, v.key, v.created, v.deleted, v.value, p.id, p.created, p.value
      FROM version v LEFT JOIN version p ON p.id = v.previous WHERE v.id >= ? ORDER BY v.id`),
  }
}
