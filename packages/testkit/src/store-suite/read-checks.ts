import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { deleteOf, expectCode, keysOf, put, putOf, remove, type StoreCheck, shown, write } from './store-check.ts'

export const readChecks: readonly StoreCheck[] = [
  {
    name: 'lists what lies under a prefix and nothing beside it',
    async run(store) {
      await write(store, ...['/a', '/a/', '/a/1', '/a/1/2', '/a0', '/a.b', '/A/1', '/b/1'].map((key) => putOf(key, 'x')))
      deepEqual(keysOf((await store.list('/a/')).entries), ['/a/', '/a/1', '/a/1/2'])
      deepEqual(keysOf((await store.list('/a')).entries), ['/a', '/a.b', '/a/', '/a/1', '/a/1/2', '/a0'])
      deepEqual(keysOf((await store.list('/c/')).entries), [])
      equal((await store.list('')).count, 8)
    },
  },
  {
    name: 'orders keys by their bytes',
    async run(store) {
      const keys = [
        '/z',
        '/a',
        '/\u007f',
        '/\u0080',
        '/ÿ',
        '/ÿÿ',
        '/é',
        '/\u07ff',
        '/\ue000',
        '/\uffff',
        '/😀',
        '/\u{10ffff}',
        '/\u{10ffff}/1',
        '/A',
        '/a/1',
        '/a!',
      ]
      await write(store, ...keys.map((key) => putOf(key, 'x')))
      const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      deepEqual(keysOf((await store.list('/')).entries), sorted)
      for (const prefix of ['/ÿ', '/\u{10ffff}', '/\uffff', '/\u07ff', '/😀']) {
        deepEqual(
          keysOf((await store.list(prefix)).entries),
          sorted.filter((key) => key.startsWith(prefix)),
        )
      }
      for (const startKey of keys) {
        deepEqual(keysOf((await store.list('/', { startKey })).entries), sorted.slice(sorted.indexOf(startKey)))
      }
    },
  },
  {
    name: 'pages from a start key, with a limit and the count of all that follow',
    async run(store) {
      const keys = Array.from({ length: 25 }, (_, i) => `/a/${String(i).padStart(2, '0')}`)
      await write(store, ...keys.map((key) => putOf(key, key)), putOf('/b/1', 'x'))
      const page = await store.list('/a/', { startKey: '/a/07', limit: 10 })
      deepEqual(keysOf(page.entries), keys.slice(7, 17))
      equal(page.count, 18)
      const between = await store.list('/a/', { startKey: '/a/07x', limit: 100 })
      deepEqual(keysOf(between.entries), keys.slice(8))
      equal(between.count, 17)
      deepEqual((await store.list('/a/', { startKey: '/a/99' })).entries, [])
      equal((await store.list('/a/', { startKey: '/a/99' })).count, 0)
      equal((await store.list('/a/', { limit: 25 })).count, 25)
      equal((await store.list('/a/', { limit: 1 })).count, 25)
    },
  },
  {
    name: 'pages through one revision while others write',
    async run(store) {
      const keys = Array.from({ length: 60 }, (_, i) => `/a/${String(i).padStart(2, '0')}`)
      await write(store, ...keys.map((key) => putOf(key, 'before')))
      const read: string[] = []
      let page = await store.list('/a/', { limit: 7 })
      const { revision } = page
      while (page.entries.length > 0) {
        read.push(...page.entries.map((entry) => `${entry.key} ${shown(entry).includes('before')}`))
        const last = page.entries.at(-1)?.key ?? ''
        await write(
          store,
          putOf(`${last}x`, 'new'),
          deleteOf(keys[59 - (read.length % 20)] ?? ''),
          putOf(keys[40 + (read.length % 15)] ?? '', 'after'),
        )
        page = await store.list('/a/', { startKey: `${last}\u0001`, limit: 7, revision })
        equal(page.revision, revision)
        equal(page.count, 60 - read.length)
      }
      deepEqual(
        read,
        keys.map((key) => `${key} true`),
      )
    },
  },
  {
    name: 'reads any revision that is not compacted as it was',
    async run(store) {
      const states: { revision: number; entries: readonly string[] }[] = []
      for (let i = 0; i < 60; i++) {
        const key = `/a/${(i * 7) % 10}`
        const revision = i % 4 === 3 ? await remove(store, key) : await put(store, key, `${i}`)
        states.push({ revision, entries: (await store.list('/a/')).entries.map(shown) })
      }
      for (const { revision, entries } of states) {
        const list = await store.list('/a/', { revision })
        deepEqual(list.entries.map(shown), entries)
        equal(list.count, entries.length)
        equal(list.revision, revision)
        for (let i = 0; i < 10; i++) {
          const { entry } = await store.get(`/a/${i}`, { revision })
          equal(shown(entry), entries.find((other) => other.startsWith(`/a/${i}=`)) ?? 'absent')
        }
        const page = await store.list('/a/', { revision, limit: 2, startKey: '/a/3' })
        const expected = entries.filter((entry) => entry >= '/a/3')
        deepEqual(page.entries.map(shown), expected.slice(0, 2))
        equal(page.count, expected.length)
      }
    },
  },
  {
    name: 'refuses a revision that is not yet reached',
    async run(store) {
      const revision = (await put(store, '/a', '1')) + 1_000
      await expectCode('STORE_FUTURE_REVISION', () => store.get('/a', { revision }))
      await expectCode('STORE_FUTURE_REVISION', () => store.list('/', { revision }))
      await expectCode('STORE_FUTURE_REVISION', () => store.compact(revision))
      const watch = store.watch('/', { after: revision, signal: AbortSignal.timeout(1_000) })
      await expectCode('STORE_FUTURE_REVISION', () => watch[Symbol.asyncIterator]().next())
    },
  },
  {
    name: 'refuses to read below the compacted revision and reads it and all above as before',
    async run(store) {
      const states: { revision: number; entries: readonly string[] }[] = []
      for (let i = 0; i < 40; i++) {
        const key = `/a/${(i * 3) % 8}`
        const revision = i % 5 === 4 ? await remove(store, key) : await put(store, key, `${i}`)
        states.push({ revision, entries: (await store.list('/a/')).entries.map(shown) })
      }
      for (const compacted of [9, 10, 25]) {
        const floor = states[compacted]?.revision ?? 0
        await store.compact(floor)
        equal(await store.compactedRevision(), floor)
        for (const { revision, entries } of states) {
          if (revision < floor) {
            await expectCode('STORE_COMPACTED', () => store.get('/a/0', { revision }))
            await expectCode('STORE_COMPACTED', () => store.list('/a/', { revision }))
          } else deepEqual((await store.list('/a/', { revision })).entries.map(shown), entries)
        }
      }
      await store.compact(states[3]?.revision ?? 0)
      equal(await store.compactedRevision(), states[25]?.revision)
      await store.compact(await store.head())
      deepEqual((await store.list('/a/')).entries.map(shown), states.at(-1)?.entries)
    },
  },
  {
    name: 'refuses revisions from before its beginning, which versions from before a restore are',
    async run(store) {
      await put(store, '/a', '1')
      for (const revision of [0, -1, -10_000_000_000]) {
        await expectCode('STORE_COMPACTED', () => store.get('/a', { revision }))
        await expectCode('STORE_COMPACTED', () => store.list('/', { revision }))
        const watch = store.watch('/', { after: revision, signal: AbortSignal.timeout(1_000) })
        await expectCode('STORE_COMPACTED', () => watch[Symbol.asyncIterator]().next())
      }
    },
  },
  {
    name: 'never gives a revision again, not even after deletion and compaction of everything',
    async run(store) {
      let last = await put(store, '/a', '1')
      for (let i = 0; i < 5; i++) {
        last = await remove(store, '/a')
        await store.compact(last)
        const next = await put(store, '/a', '1')
        ok(next > last, `revision ${next} after ${last}`)
        last = next
      }
    },
  },
  {
    name: 'stops when the caller has aborted',
    async run(store) {
      await put(store, '/a', '1')
      const signal = AbortSignal.abort(new DOMException('given up', 'AbortError'))
      await rejects(store.get('/a', { signal }))
      await rejects(store.list('/', { signal }))
    },
  },
]
