import { createWatchCache, type Store, silentLog, systemClock } from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../../../test/support/etcd.ts'
import { EtcdStore } from '../src/index.ts'

const put = (store: Store, key: string, value: string) =>
  store.commit({ conditions: [], writes: [{ type: 'put', key, value: Buffer.from(value) }] })

describe.skipIf(etcdMissing !== undefined)(`watch caches over etcd${etcdNote}`, () => {
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd()
  }, 30_000)
  afterAll(() => etcd?.stop())

  const opened = (prefix: string): EtcdStore => {
    const store = new EtcdStore({ endpoints: etcd.endpoints, prefix })
    onTestFinished(() => store.close())
    return store
  }
  const cacheOf = async (store: Store) => {
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const cache = createWatchCache({ store, clock: systemClock, log: silentLog })
    await cache.start(stop.signal)
    return cache
  }

  it('of two processes show each what the other has written, as soon as they are asked for the latest', async () => {
    const stores = [opened('two:'), opened('two:')] as const
    const caches = [await cacheOf(stores[0]), await cacheOf(stores[1])] as const
    for (let i = 0; i < 200; i++) {
      const reader = caches[i % 2] as (typeof caches)[0]
      await put(stores[(i + 1) % 2] as Store, '/a', `${i}`)
      await reader.caughtUp()
      expect(Buffer.from(reader.get('/a')?.value ?? []).toString()).toBe(`${i}`)
    }
  })

  it('catch up although somebody else writes to the same etcd all the time', async () => {
    const foreign = opened('foreign:')
    const store = opened('quiet:')
    const cache = await cacheOf(store)
    const stop = new AbortController()
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) await put(foreign, `/${i % 10}`, 'x')
    })()
    const other = opened('quiet:')
    for (let i = 0; i < 5; i++) {
      await put(other, '/mine', `${i}`)
      await cache.caughtUp()
      expect(Buffer.from(cache.get('/mine')?.value ?? []).toString()).toBe(`${i}`)
    }
    stop.abort()
    await writing
    expect(cache.list('/').entries.map(({ key }) => key)).toContain('/mine')
    expect((await store.list('/')).entries.every(({ key }) => key === '/mine' || key.startsWith('/meta/'))).toBe(true)
  })
})
