import { deepEqual, equal, ok } from 'node:assert/strict'
import { isStoreError, type Store, type StoreBatch, systemClock } from '@continuo/core'
import {
  batchText,
  deleteOf,
  expectCode,
  history,
  put,
  putOf,
  remove,
  type StoreCheck,
  shown,
  text,
  Watching,
  within,
  write,
} from './store-check.ts'

/** 40 commits of one to three writes below `/a/` and `/b/`. Returns the revisions before and after. */
async function busyHistory(store: Store): Promise<{ before: number; head: number }> {
  const before = await store.head()
  for (let i = 0; i < 40; i++) {
    const key = `/${i % 3 === 0 ? 'b' : 'a'}/${i % 7}`
    if (i % 5 === 4) await write(store, deleteOf(key), putOf('/b/deletions', `${i}`))
    else if (i % 4 === 1) await write(store, putOf(key, `${i}`), putOf(`/a/x${i}`, 'x'), putOf('/b/pairs', `${i}`))
    else await put(store, key, `${i}`)
  }
  return { before, head: await store.head() }
}

function fold(state: Map<string, string>, batches: readonly StoreBatch[]): Map<string, string> {
  for (const { revision, events } of batches) {
    for (const { type, key, value, createRevision, previous } of events) {
      equal(shown(previous), state.get(key) ?? 'absent', `what ${key} was before revision ${revision}`)
      if (type === 'delete') state.delete(key)
      else state.set(key, `${key}=${text(value)}@${createRevision}/${revision}`)
    }
  }
  return state
}

export const watchChecks: readonly StoreCheck[] = [
  {
    name: 'tells each change with what was there before',
    async run(store) {
      const watching = new Watching(store, '/', await store.head())
      const created = await put(store, '/a', '1')
      const updated = await put(store, '/a', '2')
      const deleted = await remove(store, '/a')
      const recreated = await put(store, '/a', '3')
      const batches = await watching.upTo(recreated)
      deepEqual(batches.map(batchText), [
        `${created}: put /a=1@${created} was absent`,
        `${updated}: put /a=2@${created} was /a=1@${created}/${created}`,
        `${deleted}: delete /a=@${created} was /a=2@${created}/${updated}`,
        `${recreated}: put /a=3@${recreated} was absent`,
      ])
      await watching.end()
    },
  },
  {
    name: 'delivers one commit as one batch',
    async run(store) {
      const watching = new Watching(store, '/', await store.head())
      const revision = await write(store, putOf('/1', 'x'), putOf('/2', 'x'), putOf('/3', 'x'))
      const batch = await watching.next()
      equal(batch?.revision, revision)
      deepEqual(batch?.events.map(({ key }) => key).sort(), ['/1', '/2', '/3'])
      await watching.end()
    },
  },
  {
    name: 'resumes from every revision with exactly what follows',
    async run(store) {
      const { before, head } = await busyHistory(store)
      const all = await history(store, '/', before, head)
      deepEqual(fold(new Map(), all), new Map((await store.list('/')).entries.map((entry) => [entry.key, shown(entry)])))
      for (const { revision: after } of [{ revision: before }, ...all.slice(0, -1)]) {
        deepEqual((await history(store, '/', after, head)).map(batchText), all.filter(({ revision }) => revision > after).map(batchText))
      }
    },
  },
  {
    name: 'sees under a prefix what concerns it, and nothing else',
    async run(store) {
      const before = await store.head()
      const live = new Watching(store, '/a/', before)
      await busyHistory(store)
      const head = await put(store, '/a/last', 'x')
      await put(store, '/b/last', 'x')
      const all = await history(store, '/', before, head)
      const expected = all
        .map(({ revision, events }) => ({ revision, events: events.filter(({ key }) => key.startsWith('/a/')) }))
        .filter(({ events }) => events.length > 0)
        .map(batchText)
      deepEqual((await live.upTo(head)).map(batchText), expected)
      deepEqual((await history(store, '/a/', before, head)).map(batchText), expected)
      await live.end()
    },
  },
  {
    name: 'goes over from history to what happens now without a gap',
    async run(store) {
      const { before } = await busyHistory(store)
      const stop = new AbortController()
      let last = 0
      const writing = (async () => {
        for (let i = 0; !stop.signal.aborted; i++) {
          last = await put(store, `/a/${i % 10}`, `${i}`)
          if (i % 10 === 0) await systemClock.yield()
        }
      })()
      const watching = new Watching(store, '/', before)
      const batches: StoreBatch[] = []
      for (let i = 0; i < 300; i++) {
        const batch = await watching.next()
        if (batch !== undefined) batches.push(batch)
      }
      stop.abort()
      await writing
      // The last of the batches may be the last that was written: then there is nothing to wait for.
      if ((batches.at(-1)?.revision ?? 0) < last) batches.push(...(await watching.upTo(last)))
      deepEqual(fold(new Map(), batches), new Map((await store.list('/')).entries.map((entry) => [entry.key, shown(entry)])))
      await watching.end()
    },
  },
  {
    name: 'shows many writers in one order to all watchers',
    async run(store) {
      const before = await store.head()
      const watches = Array.from({ length: 3 }, () => new Watching(store, '/', before))
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 25; i++) await write(store, putOf(`/${(writer + i) % 5}`, `${writer}-${i}`), putOf(`/w/${writer}`, `${i}`))
      })
      await Promise.all(writers)
      const head = await store.head()
      const seen = await Promise.all(watches.map((watching) => watching.upTo(head)))
      for (const batches of seen) {
        equal(batches.length, 200)
        ok(
          batches.every(({ revision }, i) => i === 0 || revision > (batches[i - 1]?.revision ?? 0)),
          'revisions do not ascend',
        )
        deepEqual(fold(new Map(), batches), new Map((await store.list('/')).entries.map((entry) => [entry.key, shown(entry)])))
        deepEqual(batches.map(batchText), seen[0]?.map(batchText))
      }
      await Promise.all(watches.map((watching) => watching.end()))
    },
  },
  {
    name: 'refuses to watch from below the compacted revision, and watches from it',
    async run(store) {
      const { before, head } = await busyHistory(store)
      const all = await history(store, '/', before, head)
      const floor = all[20]?.revision ?? 0
      await store.compact(floor)
      for (const after of [before, floor - 1]) {
        const watching = new Watching(store, '/', after)
        await expectCode('STORE_COMPACTED', () => watching.next())
      }
      deepEqual((await history(store, '/', floor, head)).map(batchText), all.filter(({ revision }) => revision > floor).map(batchText))
    },
  },
  {
    name: 'keeps a live watch over a compaction',
    async run(store) {
      const watching = new Watching(store, '/', await store.head())
      const first = await put(store, '/a', '1')
      await watching.upTo(first)
      await store.compact(first)
      const second = await put(store, '/a', '2')
      deepEqual((await watching.upTo(second)).map(batchText), [`${second}: put /a=2@${first} was /a=1@${first}/${first}`])
      await watching.end()
    },
  },
  {
    name: 'ends a watch silently when it is aborted, at once or while it waits',
    async run(store) {
      const after = await store.head()
      const aborted = new Watching(store, '/', after)
      aborted.abort()
      equal(await aborted.next(), undefined)
      const waiting = new Watching(store, '/', after)
      const next = waiting.next()
      await systemClock.yield()
      waiting.abort()
      equal(await next, undefined)
    },
  },
  {
    name: 'ends its watches when it is closed',
    async run(store) {
      const watching = new Watching(store, '/', await store.head())
      const ended = expectCode('STORE_CLOSED', () => watching.next())
      await systemClock.yield()
      await Promise.all([ended, store.close()])
    },
  },
  {
    name: 'loses nothing to a slow consumer: it delivers everything or says so, and a resumed watch goes on',
    async run(store) {
      const before = await store.head()
      const watching = new Watching(store, '/', before)
      const first = await put(store, '/0', 'x')
      const seen = [...(await watching.upTo(first))]
      const value = 'x'.repeat(2_000)
      for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 100 }, (_, i) => put(store, `/${i}`, value)))
      const head = await store.head()
      for (let current = watching; (seen.at(-1)?.revision ?? 0) < head; ) {
        try {
          const batch = await current.next()
          if (batch !== undefined) seen.push(batch)
        } catch (error) {
          if (!isStoreError(error, 'STORE_SLOW_CONSUMER')) throw error
          current = new Watching(store, '/', seen.at(-1)?.revision ?? before)
        }
      }
      equal(seen.length, 6_001)
      ok(
        seen.every(({ revision }, i) => i === 0 || revision > (seen[i - 1]?.revision ?? 0)),
        'revisions do not ascend',
      )
      await within(watching.end(), 'the end of the watch')
    },
  },
]
