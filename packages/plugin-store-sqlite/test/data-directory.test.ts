import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createMemoryStore, type Store, type StoreEntry, writeSnapshot } from '@continuo/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openForWriting } from '../src/database.ts'
import { restoreGap, SqliteStore } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const put = (store: Store, key: string, value: string | Uint8Array) =>
  store.commit({ conditions: [], writes: [{ type: 'put', key, value: typeof value === 'string' ? bytes(value) : value }] })
const shown = ({ entries }: { entries: readonly StoreEntry[] }) =>
  entries.map(({ key, value, createRevision, modRevision }) => `${key}=${Buffer.from(value)}@${createRevision}/${modRevision}`)

async function opened(directory: string, options?: { maxBytes?: number }): Promise<SqliteStore> {
  const store = await SqliteStore.open(directory, options)
  onTestFinished(() => store.close())
  return store
}

describe('sqlite store: its data directory', () => {
  it('finds everything again after it was closed, and goes on with the next revision', async () => {
    const directory = temporaryDirectory()
    const first = await SqliteStore.open(join(directory, 'made', 'for', 'it'))
    for (let i = 0; i < 10; i++) await put(first, `/${i % 4}`, `${i}`)
    await first.compact(5)
    const before = shown(await first.list(''))
    await first.close()
    const second = await opened(join(directory, 'made', 'for', 'it'))
    expect(shown(await second.list(''))).toEqual(before)
    expect(await second.head()).toBe(11)
    expect(await second.compactedRevision()).toBe(5)
    expect(await put(second, '/new', 'x')).toEqual({ committed: true, revision: 12 })
  })

  it('refuses a directory that another store of this process has open, naming the process', async () => {
    const directory = temporaryDirectory()
    await opened(directory)
    await expect(SqliteStore.open(directory)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    })
  })

  it('refuses a directory that another process has open, and takes it over when that is killed', async () => {
    const directory = temporaryDirectory()
    const child = spawn(
      process.execPath,
      ['--conditions=@continuo/source', join(import.meta.dirname, 'acknowledge-writes.ts'), directory],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(SqliteStore.open(directory)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${child.pid}`),
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const store = await opened(directory)
    expect(await store.head()).toBeGreaterThan(1)
  })

  it('refuses data of a later format and says what to do', async () => {
    const directory = temporaryDirectory()
    await (await SqliteStore.open(directory)).close()
    const db = new DatabaseSync(join(directory, 'store.db'))
    db.exec('PRAGMA user_version = 7')
    db.close()
    await expect(SqliteStore.open(directory)).rejects.toMatchObject({
      code: 'STORE_FORMAT',
      message: expect.stringContaining('format 7'),
      hint: expect.stringContaining('newer'),
    })
  })

  it('says that a file which is no database is damaged, and leaves it as it is', async () => {
    const directory = temporaryDirectory()
    const garbage = Buffer.alloc(8_192, 'garbage')
    writeFileSync(join(directory, 'store.db'), garbage)
    await expect(SqliteStore.open(directory)).rejects.toMatchObject({ code: 'STORE_CORRUPT', hint: expect.stringContaining('snapshot') })
    expect(readFileSync(join(directory, 'store.db'))).toEqual(garbage)
  })

  it('says that a page is damaged when it comes upon it', async () => {
    const directory = temporaryDirectory()
    const first = await SqliteStore.open(directory)
    for (let i = 0; i < 200; i++) await put(first, `/${i}`, 'x'.repeat(2_000))
    await first.close()
    const file = join(directory, 'store.db')
    const content = readFileSync(file)
    content.fill(0xee, 5 * 4_096)
    writeFileSync(file, content)
    const failing = async () => {
      const store = await opened(directory)
      return store.list('')
    }
    await expect(failing()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  })
})

describe('sqlite store: when the database is full', () => {
  it('acknowledges nothing that it did not write, stays readable, and goes on once there is room', async () => {
    const directory = temporaryDirectory()
    const full = await SqliteStore.open(directory, { maxBytes: 1 << 20 })
    const acknowledged = new Map<string, number>()
    let refused = 0
    const writer = async (name: number): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        const key = `/${name}/${i}`
        try {
          const { revision } = await put(full, key, 'x'.repeat(10_000))
          acknowledged.set(key, revision)
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', hint: expect.stringContaining('space') })
          refused++
        }
      }
    }
    await Promise.all([1, 2, 3, 4].map(writer))
    expect(refused).toBeGreaterThan(0)
    expect(acknowledged.size).toBeGreaterThan(20)
    const held = (store: Store) => store.list('').then(({ entries }) => new Map(entries.map(({ key, modRevision }) => [key, modRevision])))
    expect(await held(full)).toEqual(acknowledged)
    await full.close()
    const roomy = await opened(directory)
    expect(await held(roomy)).toEqual(acknowledged)
    const { revision } = await put(roomy, '/more', 'x'.repeat(10_000))
    expect(revision).toBeGreaterThan(Math.max(...acknowledged.values()))
  })
})

describe('sqlite store: growth', () => {
  it('waits for the disk with each commit, in a log that survives a crash', async () => {
    const db = openForWriting(join(temporaryDirectory(), 'store.db'), undefined) as DatabaseSync
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    db.close()
  })

  it('keeps its log small under a long stream of writes, whatever is read meanwhile', async () => {
    const directory = temporaryDirectory()
    const store = await opened(directory)
    for (let round = 0; round < 40; round++) {
      await Promise.all(Array.from({ length: 64 }, (_, i) => put(store, `/${i}`, 'x'.repeat(16_000))))
      await store.list('/', { limit: 3 })
      await store.list('/', { limit: 3, revision: 30 })
      for await (const _ of store.watch('/', { after: 2, signal: AbortSignal.timeout(5_000) })) break
    }
    expect(statSync(join(directory, 'store.db-wal')).size).toBeLessThan(24 << 20)
  })

  it('gives the space of compacted versions to new ones', async () => {
    const directory = temporaryDirectory()
    const store = await opened(directory)
    const rewrite = async () => {
      for (let round = 0; round < 8; round++)
        await Promise.all(Array.from({ length: 64 }, (_, i) => put(store, `/${i}`, 'x'.repeat(8_000))))
      await store.compact(await store.head())
    }
    const rows = () => {
      const db = new DatabaseSync(join(directory, 'store.db'), { readOnly: true })
      const { n } = db.prepare('SELECT count(*) AS n FROM version').get() as { n: number }
      db.close()
      return n
    }
    for (let i = 0; i < 4; i++) {
      await rewrite()
      await expect.poll(rows, { timeout: 5_000 }).toBe(64)
    }
    const db = new DatabaseSync(join(directory, 'store.db'), { readOnly: true })
    const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number }
    db.close()
    expect(page_count * 4_096).toBeLessThan(2.5 * 8 * 64 * 8_192)
  })

  it('goes on with an unfinished compaction after a restart', async () => {
    const directory = temporaryDirectory()
    const first = await SqliteStore.open(directory)
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, () => put(first, '/a', `${i}`)))
    await first.compact(1_000)
    await first.close()
    const second = await opened(directory)
    await expect
      .poll(() => {
        const db = new DatabaseSync(join(directory, 'store.db'), { readOnly: true })
        const { n } = db.prepare('SELECT count(*) AS n FROM version').get() as { n: number }
        db.close()
        return n
      })
      .toBe(2)
    expect((await second.get('/a', { revision: 1_000 })).entry?.modRevision).toBe(1_000)
  })
})

describe('sqlite store: snapshots', () => {
  it('restores exactly what a snapshot held, with revisions above all that were ever given', async () => {
    const directory = temporaryDirectory()
    const old = await opened(join(directory, 'old'))
    for (let i = 0; i < 700; i++) await put(old, `/${i % 300}`, `${i}`)
    await put(
      old,
      '/binary',
      Uint8Array.from({ length: 256 }, (_, i) => i),
    )
    const state = shown(await old.list(''))
    await old.snapshot(join(directory, 'snapshot'))
    const later = (await put(old, '/later', 'x')).revision
    const head = await SqliteStore.restore(join(directory, 'snapshot'), join(directory, 'new'))
    expect(head).toBeGreaterThan(later)
    expect(head).toBe(702 + restoreGap)
    const restored = await opened(join(directory, 'new'))
    expect(shown(await restored.list(''))).toEqual(state)
    expect((await put(restored, '/0', 'x')).revision).toBe(head + 1)
    const stop = AbortSignal.timeout(5_000)
    await expect(restored.watch('', { after: later, signal: stop })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'STORE_COMPACTED',
    })
    const batch = await restored.watch('', { after: head, signal: stop })[Symbol.asyncIterator]().next()
    expect(batch.value?.events[0]?.previous).toMatchObject({ key: '/0', modRevision: 602 })
  })

  it('restores a snapshot of another store, on top of the base of its resource versions', async () => {
    const directory = temporaryDirectory()
    const memory = createMemoryStore()
    await put(memory, '/a', '1')
    let snapshot = ''
    for await (const lines of writeSnapshot(memory, { base: 5_000 })) snapshot += lines
    writeFileSync(join(directory, 'snapshot'), snapshot)
    await SqliteStore.restore(join(directory, 'snapshot'), join(directory, 'new'))
    const restored = await opened(join(directory, 'new'))
    expect(shown(await restored.list(''))).toEqual(['/a=1@5002/5002'])
  })

  it('refuses a snapshot that was changed or cut off, and leaves nothing behind', async () => {
    const directory = temporaryDirectory()
    const old = await opened(join(directory, 'old'))
    for (let i = 0; i < 20; i++) await put(old, `/${i}`, 'value')
    const path = join(directory, 'snapshot')
    await old.snapshot(path)
    const whole = readFileSync(path, 'utf8')
    const lines = whole.trimEnd().split('\n')
    const damaged = [
      whole.slice(0, -100),
      whole.replace('"/7"', '"/X"'),
      lines.toSpliced(5, 1).join('\n'),
      `${lines.slice(0, -1).join('\n')}\n`,
      `${whole}{}\n`,
      '',
    ]
    for (const content of damaged) {
      writeFileSync(path, content)
      await expect(SqliteStore.restore(path, join(directory, 'new'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      expect(existsSync(join(directory, 'new', 'store.db'))).toBe(false)
    }
    writeFileSync(path, whole.replace('"version":1', '"version":9'))
    await expect(SqliteStore.restore(path, join(directory, 'new'))).rejects.toMatchObject({ code: 'STORE_FORMAT' })
  })

  it('does not restore over a store', async () => {
    const directory = temporaryDirectory()
    const old = await SqliteStore.open(directory)
    await old.snapshot(join(directory, 'snapshot'))
    await old.close()
    await expect(SqliteStore.restore(join(directory, 'snapshot'), directory)).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' })
  })
})
