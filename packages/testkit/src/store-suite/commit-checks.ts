import { deepEqual, equal, ok } from 'node:assert/strict'
import { bytes, deleteOf, expectCode, keysOf, put, putOf, remove, type StoreCheck, shown, write } from './store-check.ts'

const committed = { committed: true }

export const commitChecks: readonly StoreCheck[] = [
  {
    name: 'reads back every byte that was committed, with its revisions',
    async run(store) {
      const value = Uint8Array.from({ length: 256 }, (_, i) => i)
      const revision = await write(store, putOf('/bytes', value), putOf('/empty', ''))
      const { entry } = await store.get('/bytes')
      deepEqual(new Uint8Array(entry?.value ?? []), value)
      equal(entry?.key, '/bytes')
      equal(entry?.createRevision, revision)
      equal(entry?.modRevision, revision)
      equal((await store.get('/empty')).entry?.value.byteLength, 0)
      equal((await store.get('/absent')).entry, undefined)
    },
  },
  {
    name: 'keeps its own copy of the bytes it was given',
    async run(store) {
      const value = bytes('before')
      const commit = store.commit({ conditions: [], writes: [putOf('/a', value)] })
      await commit
      value.fill(0)
      equal(shown((await store.get('/a')).entry).split('@')[0], '/a=before')
    },
  },
  {
    name: 'gives each commit a higher revision, which the head and every read show at once',
    async run(store) {
      let last = await store.head()
      for (let i = 0; i < 50; i++) {
        const revision = i % 5 === 4 ? await remove(store, '/a') : await put(store, '/a', `${i}`)
        ok(revision > last, `revision ${revision} after ${last}`)
        ok((await store.head()) >= revision, 'the head is behind an acknowledged commit')
        const read = await store.get('/a')
        ok(read.revision >= revision, 'a read is behind an acknowledged commit')
        equal(read.entry?.modRevision, i % 5 === 4 ? undefined : revision)
        ok((await store.list('/')).revision >= revision, 'a list is behind an acknowledged commit')
        last = revision
      }
    },
  },
  {
    name: 'keeps the creation revision over updates and begins anew after a deletion',
    async run(store) {
      const created = await put(store, '/a', '1')
      await put(store, '/a', '2')
      equal((await store.get('/a')).entry?.createRevision, created)
      await remove(store, '/a')
      const recreated = await put(store, '/a', '3')
      equal((await store.get('/a')).entry?.createRevision, recreated)
    },
  },
  {
    name: 'commits when every condition holds',
    async run(store) {
      const revision = await put(store, '/a', '1')
      const conditions = [
        { key: '/a', modRevision: revision },
        { key: '/b', modRevision: 0 },
      ]
      const result = await store.commit({ conditions, writes: [putOf('/a', '2'), putOf('/b', '1')] })
      deepEqual(result, { ...committed, revision: result.revision })
      equal((await store.get('/b')).entry?.modRevision, result.revision)
    },
  },
  {
    name: 'refuses when a condition fails, and returns the current entry of each failed key',
    async run(store) {
      const first = await put(store, '/a', '1')
      const second = await put(store, '/a', '2')
      const other = await put(store, '/b', '1')
      const conditions = [
        { key: '/a', modRevision: first },
        { key: '/b', modRevision: other },
        { key: '/c', modRevision: other },
        { key: '/d', modRevision: 0 },
      ]
      const result = await store.commit({ conditions, writes: [putOf('/a', '3')] })
      if (result.committed) return ok(false, 'it was committed')
      deepEqual(
        result.failed.map(({ key, current }) => `${key}: ${shown(current)}`),
        [`/a: /a=2@${first}/${second}`, '/c: absent'],
      )
      equal(shown((await store.get('/a')).entry), `/a=2@${first}/${second}`)
    },
  },
  {
    name: 'refuses to create what exists, and to update what is gone',
    async run(store) {
      const revision = await put(store, '/a', '1')
      equal((await store.commit({ conditions: [{ key: '/a', modRevision: 0 }], writes: [putOf('/a', '2')] })).committed, false)
      await remove(store, '/a')
      equal((await store.commit({ conditions: [{ key: '/a', modRevision: revision }], writes: [putOf('/a', '2')] })).committed, false)
      equal((await store.commit({ conditions: [{ key: '/a', modRevision: 0 }], writes: [putOf('/a', '2')] })).committed, true)
    },
  },
  {
    name: 'respects conditions on keys that are not written',
    async run(store) {
      const epoch = await put(store, '/epoch', '1')
      const fenced = (value: string) => store.commit({ conditions: [{ key: '/epoch', modRevision: epoch }], writes: [putOf('/a', value)] })
      equal((await fenced('1')).committed, true)
      await put(store, '/epoch', '2')
      equal((await fenced('2')).committed, false)
      await remove(store, '/epoch')
      equal((await fenced('3')).committed, false)
      equal(shown((await store.get('/a')).entry).split('@')[0], '/a=1')
    },
  },
  {
    name: 'writes nothing of a refused transaction',
    async run(store) {
      await put(store, '/kept', '1')
      const head = await store.head()
      const conditions = [{ key: '/kept', modRevision: 0 }]
      const result = await store.commit({ conditions, writes: [putOf('/a', '1'), deleteOf('/kept'), putOf('/b', '1')] })
      equal(result.committed, false)
      deepEqual(keysOf((await store.list('/')).entries), ['/kept'])
      equal(await store.head(), head)
    },
  },
  {
    name: 'gives all writes of one transaction one revision',
    async run(store) {
      await put(store, '/gone', '1')
      const revision = await write(store, putOf('/a', '1'), putOf('/b', '1'), deleteOf('/gone'), putOf('/c', '1'))
      const { entries } = await store.list('/')
      deepEqual(
        entries.map(shown),
        ['/a', '/b', '/c'].map((key) => `${key}=1@${revision}/${revision}`),
      )
    },
  },
  {
    name: 'takes a transaction that changes nothing without a new revision',
    async run(store) {
      const revision = await put(store, '/a', '1')
      deepEqual(await store.commit({ conditions: [], writes: [] }), { committed: true, revision })
      deepEqual(await store.commit({ conditions: [{ key: '/a', modRevision: revision }], writes: [] }), { committed: true, revision })
      deepEqual(await store.commit({ conditions: [], writes: [deleteOf('/absent')] }), { committed: true, revision })
      equal((await store.commit({ conditions: [{ key: '/a', modRevision: 0 }], writes: [] })).committed, false)
      equal(await store.head(), revision)
    },
  },
  {
    name: 'refuses what exceeds its limits, whole, and takes what just fits',
    async run(store) {
      const { maxOps, maxBytes } = store.limits
      const head = await store.head()
      const many = Array.from({ length: maxOps }, (_, i) => putOf(`/${i}`, 'x'))
      await expectCode('STORE_TOO_LARGE', () => store.commit({ conditions: [{ key: '/0', modRevision: 0 }], writes: many }))
      await expectCode('STORE_TOO_LARGE', () => store.commit({ conditions: [], writes: [putOf('/large', new Uint8Array(maxBytes))] }))
      equal(await store.head(), head)
      await write(store, ...many)
      await write(store, putOf('/large', new Uint8Array(maxBytes - 6)))
      equal((await store.list('/')).count, maxOps + 1)
    },
  },
  {
    name: 'refuses a transaction that writes a key twice, and keys that are none',
    async run(store) {
      const head = await store.head()
      await expectCode('STORE_INVALID', () => store.commit({ conditions: [], writes: [putOf('/a', '1'), deleteOf('/a')] }))
      await expectCode('STORE_INVALID', () => store.commit({ conditions: [], writes: [putOf('', '1')] }))
      await expectCode('STORE_INVALID', () => store.commit({ conditions: [{ key: '/\ud800', modRevision: 0 }], writes: [] }))
      await expectCode('STORE_INVALID', () => store.commit({ conditions: [], writes: [putOf('/a\0b', '1')] }))
      equal(await store.head(), head)
    },
  },
  {
    name: 'refuses every call once it is closed',
    async run(store) {
      await put(store, '/a', '1')
      await store.close()
      await expectCode('STORE_CLOSED', () => store.get('/a'))
      await expectCode('STORE_CLOSED', () => store.list('/'))
      await expectCode('STORE_CLOSED', () => put(store, '/a', '2'))
      await expectCode('STORE_CLOSED', async () => store.head())
      await store.close()
    },
  },
]
