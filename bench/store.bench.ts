// Durable commits per second of the embedded store beside bare node:sqlite that does the same work, in one run.
//   node --conditions=@continuo/source bench/store.bench.ts [seconds per round, default 1] [rounds, default 5]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openForWriting } from '../packages/plugin-store-sqlite/src/database.ts'
import { SqliteStore } from '../packages/plugin-store-sqlite/src/index.ts'

const seconds = Number(process.argv[2] ?? 1)
const rounds = Number(process.argv[3] ?? 5)
const keys = 1_000
const value = new Uint8Array(1_024).fill(120)

/** Each writer updates its own keys, each time on condition of the revision that it wrote last. Returns commits per second. */
async function storeRound(store: SqliteStore, writers: number): Promise<number> {
  const end = performance.now() + seconds * 1_000
  let commits = 0
  const writer = async (name: number): Promise<void> => {
    const known = new Map<string, number>()
    for (let i = 0; performance.now() < end; i++) {
      const key = `/objects/pods/default/${name}-${i % Math.ceil(keys / writers)}`
      const modRevision = known.get(key) ?? (await store.get(key)).entry?.modRevision ?? 0
      const result = await store.commit({ conditions: [{ key, modRevision }], writes: [{ type: 'put', key, value }] })
      if (!result.committed) throw new Error(`refused: ${key}`)
      known.set(key, result.revision)
      commits++
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: writers }, (_, name) => writer(name)))
  return commits / ((performance.now() - began) / 1_000)
}

/** The same tables, the same condition, the same durability, `group` updates in one transaction of SQLite, in one thread. */
function bareRound(db: DatabaseSync, group: number): number {
  const current = db.prepare('SELECT id, created FROM current WHERE key = ?')
  const insert = db.prepare('INSERT INTO version (id, key, created, previous, deleted, value) VALUES (?, ?, ?, ?, 0, ?)')
  const upsert = db.prepare('INSERT INTO current VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET id = excluded.id')
  const setHead = db.prepare("UPDATE meta SET value = ? WHERE name = 'head'")
  let { value: head } = db.prepare("SELECT value FROM meta WHERE name = 'head'").get() as { value: number }
  const began = performance.now()
  const end = began + seconds * 1_000
  let commits = 0
  while (performance.now() < end) {
    db.exec('BEGIN IMMEDIATE')
    for (let i = 0; i < group; i++) {
      const key = `/objects/pods/default/${commits++ % keys}`
      const row = current.get(key) as { id: number; created: number } | undefined
      const id = ++head * 128
      insert.run(id, key, row?.created ?? head, row?.id ?? 0, value)
      upsert.run(key, id, row?.created ?? head)
    }
    setHead.run(head)
    db.exec('COMMIT')
  }
  return commits / ((performance.now() - began) / 1_000)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const range = (values: readonly number[]): string => `${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))}`

const directory = mkdtempSync(join(tmpdir(), 'continuo-bench-'))
const store = await SqliteStore.open(join(directory, 'store'))
const bare = openForWriting(join(directory, 'bare.db'), undefined)
if (!(bare instanceof DatabaseSync)) throw new Error('an empty file has no format')

console.log('| writers | store, commits/s (range) | bare, a transaction each | ratio | bare, one transaction for all writers | ratio |')
console.log('|---|---|---|---|---|---|')
for (const writers of [1, 16, 64]) {
  const measured = { store: [] as number[], single: [] as number[], grouped: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    measured.store.push(await storeRound(store, writers))
    measured.single.push(bareRound(bare, 1))
    measured.grouped.push(bareRound(bare, writers))
    await store.compact(await store.head())
    bare.exec('DELETE FROM version WHERE id NOT IN (SELECT id FROM current)')
  }
  const [ours, single, grouped] = [median(measured.store), median(measured.single), median(measured.grouped)]
  const cells = [
    writers,
    `${Math.round(ours)} (${range(measured.store)})`,
    `${Math.round(single)} (${range(measured.single)})`,
    (ours / single).toFixed(2),
  ]
  console.log(`| ${[...cells, `${Math.round(grouped)} (${range(measured.grouped)})`, (ours / grouped).toFixed(2)].join(' | ')} |`)
}

await store.close()
bare.close()
rmSync(directory, { recursive: true })
