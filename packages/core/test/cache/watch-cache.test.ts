import { describe, expect, it, onTestFinished } from 'vitest'
import { createWatchCache, type WatchCacheOptions } from '../../src/cache/create-watch-cache.ts'
import type { CacheCursor, CacheEvent, DispatchIndex, WatchCache } from '../../src/cache/watch-cache.ts'
import { systemClock } from '../../src/clock/system-clock.ts'
import { silentLog } from '../../src/log/log.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { StoreError } from '../../src/store/store-error.ts'
import { ManualClock } from './manual-clock.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)
const put = (store: Store, key: string, value: string) =>
  store.commit({ conditions: [], writes: [{ type: 'put', key, value: bytes(value) }] })
const remove = (store: Store, key: string) => store.commit({ conditions: [], writes: [{ type: 'delete', key }] })

/** The value is the dispatch key: `namespace=a`. */
const byValue: DispatchIndex = { keysOf: (entry) => [text(entry.value)] }

async function started(store: Store, options: Partial<WatchCacheOptions> = {}): Promise<WatchCache> {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const cache = createWatchCache({ store, clock: systemClock, log: silentLog, ...options })
  await cache.start(stop.signal)
  return cache
}

const summary = (events: readonly CacheEvent[]) =>
  events.map(
    ({ key, entry, previous, revision }) =>
      `${revision} ${key} ${previous ? text(previous.value) : '-'}>${entry ? text(entry.value) : '-'}`,
  )

async function drain(cursor: CacheCursor, count: number): Promise<readonly CacheEvent[]> {
  const events: CacheEvent[] = []
  while (events.length < count) {
    await cursor.ready()
    events.push(...cursor.take(100))
  }
  return events
}

describe('watch cache: reading', () => {
  it('holds what the store held before it started, and what comes later once it has caught up', async () => {
    const store = createMemoryStore()
    for (let i = 0; i < 2_500; i++) await put(store, `/a/${String(i).padStart(5, '0')}`, `${i}`)
    const cache = await started(store)
    expect(cache.list('/a/').count).toBe(2_500)
    const { revision } = await put(store, '/b/1', 'late')
    await cache.caughtUp()
    expect(cache.revision).toBe(revision)
    expect(text(cache.get('/b/1')!.value)).toBe('late')
  })

  it('lists in the order of the keys, from a start key, with the count of all that follow', async () => {
    const store = createMemoryStore()
    for (const key of ['/a/3', '/a/1', '/b/1', '/a/2', '/a', '/a0']) await put(store, key, key)
    const cache = await started(store)
    expect(cache.list('/a/').entries.map((entry) => entry.key)).toEqual(['/a/1', '/a/2', '/a/3'])
    const page = cache.list('/a/', { startKey: '/a/2', limit: 1 })
    expect(page.entries.map((entry) => entry.key)).toEqual(['/a/2'])
    expect(page.count).toBe(2)
  })

  it('keeps a copy of its own of a value that is part of a larger buffer', async () => {
    const inner = createMemoryStore()
    await put(inner, '/a', 'value')
    const page = new Uint8Array(1 << 20)
    const store: Store = {
      ...forward(inner),
      list: async (prefix, options) => {
        const list = await inner.list(prefix, options)
        return {
          ...list,
          entries: list.entries.map((entry) => {
            page.set(entry.value, 9)
            return { ...entry, value: page.subarray(9, 9 + entry.value.length) }
          }),
        }
      },
    }
    const cache = await started(store)
    expect(text(cache.get('/a')!.value)).toBe('value')
    expect(cache.get('/a')!.value.buffer.byteLength).toBe(5)
  })

  it('lists by dispatch key, also after an entry moved to another key or was deleted', async () => {
    const store = createMemoryStore()
    for (const name of ['1', '2', '3']) await put(store, `/pods/${name}`, 'node=a')
    await put(store, '/other/1', 'node=a')
    const cache = await started(store)
    const index = cache.index('/pods/', byValue)
    const keys = (dispatchKey: string) => cache.byDispatchKey('/pods/', dispatchKey).map((entry) => entry.key)
    expect(keys('node=a')).toEqual(['/pods/1', '/pods/2', '/pods/3'])
    await put(store, '/pods/2', 'node=b')
    await remove(store, '/pods/3')
    await cache.caughtUp()
    expect(keys('node=a')).toEqual(['/pods/1'])
    expect(keys('node=b')).toEqual(['/pods/2'])
    index[Symbol.dispose]()
    expect(keys('node=a')).toEqual([])
  })
})

describe('watch cache: cursors', () => {
  it('gives each event of the prefix once, in order, with what was there before', async () => {
    const store = createMemoryStore()
    await put(store, '/a/1', 'old')
    const cache = await started(store)
    const cursor = cache.watch('/a/', { after: cache.revision })
    await put(store, '/a/1', 'new')
    await put(store, '/b/1', 'other')
    await remove(store, '/a/1')
    expect(summary(await drain(cursor, 2))).toEqual(['3 /a/1 old>new', '5 /a/1 new>-'])
    expect(cursor.take(10)).toEqual([])
    expect(cursor.revision).toBe(5)
  })

  it('starts from any revision that is still held, in a ring that nobody watched so far', async () => {
    const store = createMemoryStore()
    const cache = await started(store)
    cache.index('/a/', byValue)
    for (let i = 0; i < 20; i++) await put(store, `/a/${i}`, i % 2 === 0 ? 'n=even' : 'n=odd')
    await cache.caughtUp()
    for (let after = 1; after <= 21; after++) {
      const cursor = cache.watch('/a/', { dispatchKey: 'n=even', after })
      const expected = Array.from({ length: 20 }, (_, i) => i + 2).filter((revision) => revision % 2 === 0 && revision > after)
      expect(cursor.take(100).map((event) => event.revision)).toEqual(expected)
    }
  })

  it('sees an entry leave and enter its dispatch key', async () => {
    const store = createMemoryStore()
    await put(store, '/a/1', 'n=1')
    const cache = await started(store)
    cache.index('/a/', byValue)
    const first = cache.watch('/a/', { dispatchKey: 'n=1', after: cache.revision })
    const second = cache.watch('/a/', { dispatchKey: 'n=2', after: cache.revision })
    await put(store, '/a/1', 'n=2')
    await put(store, '/a/1', 'n=2')
    expect(summary(await drain(first, 1))).toEqual(['3 /a/1 n=1>n=2'])
    expect(summary(await drain(second, 2))).toEqual(['3 /a/1 n=1>n=2', '4 /a/1 n=2>n=2'])
  })

  it('tells in its revision what was taken entirely, also in the middle of a revision', async () => {
    const store = createMemoryStore()
    const cache = await started(store)
    const cursor = cache.watch('/', { after: 1 })
    const writes = ['/1', '/2', '/3'].map((key) => ({ type: 'put' as const, key, value: bytes('x') }))
    await store.commit({ conditions: [], writes })
    await cursor.ready()
    expect(cursor.take(2)).toHaveLength(2)
    expect(cursor.revision).toBe(1)
    expect(cursor.take(2)).toHaveLength(1)
    expect(cursor.revision).toBe(2)
  })

  it('ignores events up to a revision that the cache has not reached yet', async () => {
    const store = createMemoryStore()
    const cache = await started(store)
    const cursor = cache.watch('/', { after: 3 })
    for (const key of ['/1', '/2', '/3']) await put(store, key, key)
    await cache.reached(4)
    expect(summary(cursor.take(9))).toEqual(['4 /3 ->/3'])
  })

  it('falls behind when its unread events leave the ring, and only then', async () => {
    const store = createMemoryStore()
    const cache = await started(store, { ringSize: 10 })
    const busy = cache.watch('/busy/', { after: cache.revision })
    const calm = cache.watch('/calm/', { after: cache.revision })
    for (let i = 0; i < 30; i++) await put(store, `/busy/${i}`, 'x')
    await cache.caughtUp()
    expect(() => busy.take(10)).toThrow(expect.objectContaining({ code: 'CACHE_BEHIND' }))
    expect(calm.take(10)).toEqual([])
    expect(calm.revision).toBe(31)
    expect(cache.oldestRevision).toBe(21)
    expect(() => cache.watch('/busy/', { after: 20 })).toThrow(expect.objectContaining({ code: 'CACHE_BEHIND' }))
    expect(cache.watch('/busy/', { after: 21 }).take(100)).toHaveLength(10)
  })

  it('bounds the bytes of replaced values', async () => {
    const store = createMemoryStore()
    const cache = await started(store, { ringBytes: 10_000 })
    for (let i = 0; i < 30; i++) await put(store, '/a', 'x'.repeat(1_000))
    await cache.caughtUp()
    expect(cache.watch('/', { after: cache.oldestRevision }).take(100)).toHaveLength(10)
  })

  it('wakes only the cursors of the dispatch key that an event concerns', async () => {
    const store = createMemoryStore()
    const cache = await started(store)
    cache.index('/a/', byValue)
    const woken: number[] = []
    for (let i = 0; i < 100; i++) {
      const cursor = cache.watch('/a/', { dispatchKey: `n=${i}`, after: cache.revision })
      cursor.ready().then(() => woken.push(i))
    }
    await put(store, '/a/x', 'n=42')
    await cache.caughtUp()
    await systemClock.yield()
    expect(woken).toEqual([42])
  })

  it('wakes waiting cursors at intervals, so that they can tell their progress', async () => {
    const clock = new ManualClock()
    const store = createMemoryStore()
    const cache = await started(store, { clock, progressInterval: 1_000 })
    const cursor = cache.watch('/calm/', { after: cache.revision })
    const ready = cursor.ready()
    await put(store, '/busy', 'x')
    await cache.caughtUp()
    clock.advance(1_000)
    await ready
    expect(cursor.revision).toBe(2)
  })

  it('resolves ready when it is closed', async () => {
    const cache = await started(createMemoryStore())
    const cursor = cache.watch('/', { after: cache.revision })
    const ready = cursor.ready()
    cursor.close()
    await ready
    await cursor.ready()
    expect(cursor.take(1)).toEqual([])
  })
})

describe('watch cache: its store', () => {
  it('resumes where it was when the watch breaks', async () => {
    const inner = createMemoryStore()
    const breaking = new Breakable(inner)
    const cache = await started(breaking.store)
    const cursor = cache.watch('/', { after: cache.revision })
    for (let round = 0; round < 5; round++) {
      await put(inner, `/${round}/a`, 'x')
      breaking.break(new StoreError('STORE_UNAVAILABLE', 'connection lost'))
      await put(inner, `/${round}/b`, 'x')
    }
    expect((await drain(cursor, 10)).map((event) => event.revision)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('loads anew when what it missed is compacted; cursors fall behind and unchanged entries stay', async () => {
    const inner = createMemoryStore()
    await put(inner, '/stays', 'x')
    await put(inner, '/goes', 'x')
    const breaking = new Breakable(inner)
    const cache = await started(breaking.store)
    const cursor = cache.watch('/', { after: cache.revision })
    const stays = cache.get('/stays')
    breaking.hold()
    await remove(inner, '/goes')
    await put(inner, '/new', 'x')
    await inner.compact(await inner.head())
    breaking.break(new StoreError('STORE_UNAVAILABLE', 'connection lost'))
    breaking.release()
    await cache.reached(await inner.head())
    expect(cache.get('/stays')).toBe(stays)
    expect(cache.list('').entries.map((entry) => entry.key)).toEqual(['/new', '/stays'])
    await cursor.ready()
    expect(() => cursor.take(1)).toThrow(expect.objectContaining({ code: 'CACHE_BEHIND' }))
    await put(inner, '/after', 'x')
    await cache.caughtUp()
    expect(cache.get('/after')).toBeDefined()
  })

  it('starts when a store that was away comes back', async () => {
    const inner = createMemoryStore()
    await put(inner, '/a', 'x')
    let failures = 3
    const store: Store = {
      ...forward(inner),
      list: (prefix, options) =>
        failures-- > 0 ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'away')) : inner.list(prefix, options),
    }
    const cache = await started(store)
    expect(cache.get('/a')).toBeDefined()
  })

  it('shares one question for the head among callers, but none that was asked before them', async () => {
    const inner = createMemoryStore()
    let asked = 0
    const store: Store = {
      ...forward(inner),
      head: async () => {
        asked++
        return inner.head()
      },
    }
    const cache = await started(store)
    await Promise.all(Array.from({ length: 100 }, () => cache.caughtUp()))
    expect(asked).toBe(2)
  })

  it('writes one fence when a store with other writers is silent behind its head', async () => {
    const clock = new ManualClock()
    const inner = createMemoryStore()
    const store = shared(inner)
    const cache = await started(store, { clock })
    await put(inner, '/elsewhere/1', 'x')
    const caughtUp = Promise.all([cache.caughtUp(), cache.caughtUp(), cache.caughtUp()])
    await systemClock.yield()
    await systemClock.yield()
    clock.advance(250)
    await caughtUp
    expect(await inner.head()).toBe(3)
    expect(cache.revision).toBe(3)
    expect(cache.get('/elsewhere/1')).toBeUndefined()
  })

  it('says that the store is unavailable when the watch does not deliver in time, and opens another', async () => {
    const clock = new ManualClock()
    const inner = createMemoryStore()
    const breaking = new Breakable(inner)
    const cache = await started(breaking.store, { clock, catchUpTimeout: 1_000 })
    breaking.hold()
    await put(inner, '/a', 'x')
    const caughtUp = cache.caughtUp()?.catch((error) => error.code)
    await systemClock.yield()
    clock.advance(1_000)
    expect(await caughtUp).toBe('STORE_UNAVAILABLE')
    breaking.release()
    await systemClock.yield()
    clock.advance(1_000)
    await cache.reached(2)
    expect(cache.get('/a')).toBeDefined()
  })

  it('stops waiting when the caller gives up', async () => {
    const cache = await started(createMemoryStore())
    const stop = new AbortController()
    const waiting = cache.reached(100, stop.signal)
    stop.abort(new StoreError('STORE_CLOSED', 'given up'))
    await expect(waiting).rejects.toThrow('given up')
  })
})

const forward = (inner: Store): Store => ({
  limits: inner.limits,
  features: inner.features,
  get: (key, options) => inner.get(key, options),
  list: (prefix, options) => inner.list(prefix, options),
  commit: (transaction) => inner.commit(transaction),
  watch: (prefix, options) => inner.watch(prefix, options),
  compact: (revision) => inner.compact(revision),
  head: () => inner.head(),
  compactedRevision: () => inner.compactedRevision(),
  close: () => inner.close(),
})

/** A store whose watch does not see keys below `/elsewhere/`, as in an etcd that others write to. */
const shared = (inner: Store): Store => ({
  ...forward(inner),
  features: { durable: false, soleWriter: false },
  async *watch(prefix, options) {
    for await (const batch of inner.watch(prefix, options)) {
      if (!batch.events.some((event) => event.key.startsWith('/elsewhere/'))) yield batch
    }
  },
})

/** A store whose watches can be broken or held back. */
class Breakable {
  readonly store: Store
  #break: (error: StoreError) => void = () => {}
  #held: Promise<void> | undefined
  #release = (): void => {}

  constructor(inner: Store) {
    const breakable = this
    this.store = {
      ...forward(inner),
      async *watch(prefix, options) {
        const broken = new AbortController()
        breakable.#break = (error) => broken.abort(error)
        for await (const batch of inner.watch(prefix, { ...options, signal: AbortSignal.any([options.signal, broken.signal]) })) {
          await breakable.#held
          if (broken.signal.aborted || options.signal.aborted) break
          yield batch
        }
        if (broken.signal.aborted) throw broken.signal.reason
      },
    }
  }

  break(error: StoreError): void {
    this.#break(error)
  }

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    this.#release = resolve
  }

  release(): void {
    this.#held = undefined
    this.#release()
  }
}
