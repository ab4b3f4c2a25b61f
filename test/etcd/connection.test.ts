import type { StoreBatch } from '@continuo/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { EtcdStore, type EtcdStoreOptions } from '../../packages/plugin-store-etcd/src/index.ts'
import { type Etcd, etcdMissing, etcdNote, startEtcd } from '../support/etcd.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { faultsOf, Witness } from './witness.ts'

const put = (store: EtcdStore, key: string, value = 'x') =>
  store.commit({ conditions: [], writes: [{ type: 'put', key, value: Buffer.from(value) }] })

let prefixes = 0
function opened(endpoints: readonly string[], options: Partial<EtcdStoreOptions> = {}): EtcdStore {
  const store = new EtcdStore({
    endpoints,
    prefix: `connection-${prefixes++}:`,
    requestTimeoutMs: 1_500,
    connectTimeoutMs: 500,
    ...options,
  })
  onTestFinished(() => store.close())
  return store
}

describe.skipIf(etcdMissing !== undefined)(`the connection to etcd${etcdNote}`, () => {
  let etcd: Etcd
  let proxy: TcpProxy
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd?.stop())
  beforeEach(async () => {
    proxy = await startProxy(Number(new URL(etcd.endpoints[0] as string).port))
  })
  afterEach(() => proxy?.[Symbol.asyncDispose]())

  const through = (): string => `http://127.0.0.1:${proxy.port}`

  it('says that the outcome is unknown when a write went out and its answer is lost, and it may well have happened', async () => {
    const store = opened([through()])
    const witness = opened(etcd.endpoints, { prefix: `connection-${prefixes - 1}:` })
    await put(store, '/a')
    proxy.dropAnswers()
    await expect(put(store, '/lost')).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' })
    expect((await witness.get('/lost')).entry).toBeDefined()
    proxy.restore()
    await expect.poll(() => put(store, '/after').then(({ committed }) => committed, String), { timeout: 5_000 }).toBe(true)
  })

  it('says that nothing was written when nobody can be reached, and goes on once somebody can', async () => {
    const store = opened([through()])
    const { revision } = await put(store, '/a')
    proxy.cut()
    await expect.poll(() => store.head().then(String, ({ code }) => code), { timeout: 5_000 }).toBe('STORE_UNAVAILABLE')
    await expect(put(store, '/refused')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', hint: expect.any(String) })
    proxy.restore()
    await expect.poll(() => store.head().catch(String), { timeout: 5_000 }).toBe(revision)
    expect((await store.get('/refused')).entry).toBeUndefined()
  })

  it('moves to another endpoint when the one it has is partitioned, and so do its watches', async () => {
    const second = await startProxy(Number(new URL(etcd.endpoints[0] as string).port))
    onTestFinished(() => second[Symbol.asyncDispose]())
    second.cut()
    const connected: string[] = []
    const endpoints = [through(), `http://127.0.0.1:${second.port}`]
    const store = opened(endpoints, { onConnected: (endpoint) => connected.push(endpoint) })
    const { revision } = await put(store, '/a')
    const watch = store.watch('/', { after: revision, signal: AbortSignal.timeout(15_000) })[Symbol.asyncIterator]()
    const ended = watch.next().then(
      () => 'went on',
      ({ code }) => code,
    )
    second.restore()
    proxy.partition()
    await expect(store.head()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await store.head()).toBe(revision)
    expect(connected).toEqual(endpoints)
    expect(await ended).toBe('STORE_UNAVAILABLE')
  })

  it('ends a watch whose connection has gone silent, without anybody asking', { timeout: 30_000 }, async () => {
    const store = opened([through()])
    const { revision } = await put(store, '/a')
    const watch = store.watch('/', { after: revision, signal: AbortSignal.timeout(25_000) })[Symbol.asyncIterator]()
    const next = watch.next()
    await put(store, '/b')
    expect((await next).value?.events[0]?.key).toBe('/b')
    proxy.partition()
    await expect(watch.next()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('is honest over a connection that is slow, cut and dropped by turns', async () => {
    const store = opened([through()])
    const witness = new Witness(store, '/')
    await witness.start(4)
    for (const spoil of [() => proxy.delay(30), () => proxy.cut(), () => proxy.dropAnswers(), () => proxy.partition(), () => proxy.cut()]) {
      const before = witness.count
      await expect.poll(() => witness.count, { timeout: 10_000 }).toBeGreaterThan(before + 20)
      spoil()
      await new Promise((resolve) => setTimeout(resolve, 700))
      proxy.restore()
    }
    const testimony = await witness.finish()
    expect(faultsOf(testimony)).toEqual([])
    expect(testimony.unknown.length).toBeGreaterThan(0)
  })

  it('carries transactions and watches that are larger than one message of gRPC by default', async () => {
    const store = opened([through()])
    const after = await store.head()
    const value = 'x'.repeat(1_000_000)
    for (let i = 0; i < 20; i++) await put(store, `/large/${i}`, value)
    const head = await store.head()
    const keys: string[] = []
    const batches: StoreBatch[] = []
    for await (const batch of store.watch('/', { after, signal: AbortSignal.timeout(10_000) })) {
      batches.push(batch)
      keys.push(...batch.events.map(({ key }) => key))
      if (batch.revision >= head) break
    }
    expect(keys).toEqual(Array.from({ length: 20 }, (_, i) => `/large/${i}`))
    expect((await store.list('/large/')).entries.map(({ value: { byteLength } }) => byteLength)).toEqual(Array(20).fill(1_000_000))
  })

  it('reads a list of several pages at one revision, whatever is written meanwhile', async () => {
    const store = opened(etcd.endpoints)
    for (let i = 0; i < 13; i++) {
      const writes = Array.from({ length: 100 }, (_, j) => ({ type: 'put' as const, key: `/${i * 100 + j}`, value: Buffer.from('before') }))
      await store.commit({ conditions: [], writes })
    }
    const reading = store.list('/')
    await Promise.all(Array.from({ length: 200 }, (_, i) => put(store, `/${1299 - i}`, 'after')))
    const { entries, count, revision } = await reading
    expect([entries.length, count]).toEqual([1_300, 1_300])
    expect(entries.every(({ modRevision }) => modRevision <= revision)).toBe(true)
    expect((await store.list('/', { limit: 0 })).count).toBe(1_300)
  })

  it('sees nothing of other clusters in the same etcd, in reads and in watches', async () => {
    const mine = opened(etcd.endpoints, { prefix: 'shop:' })
    const others = ['shop2:', 'sho:', 'shop', 'shop;'].map((prefix) => opened(etcd.endpoints, { prefix }))
    const after = await mine.head()
    for (const other of others) await put(other, '/a')
    const { revision } = await put(mine, '/b')
    expect((await mine.list('')).entries.map(({ key }) => key)).toEqual(['/b'])
    const batch = await mine
      .watch('', { after, signal: AbortSignal.timeout(5_000) })
      [Symbol.asyncIterator]()
      .next()
    expect([batch.value?.revision, batch.value?.events.map(({ key }: { key: string }) => key)]).toEqual([revision, ['/b']])
  })

  it('tells a watcher that was overtaken by a compaction, and one that resumes', async () => {
    const store = opened([through()])
    const { revision: after } = await put(store, '/a')
    for (let i = 0; i < 50; i++) await put(store, `/${i % 5}`, `${i}`)
    await store.commit({ conditions: [], writes: [{ type: 'delete', key: '/0' }] })
    const head = await store.head()
    await store.compact(head)
    for (const from of [after, head - 1]) {
      const watch = store.watch('/', { after: from, signal: AbortSignal.timeout(5_000) })[Symbol.asyncIterator]()
      await expect(watch.next()).rejects.toMatchObject({ code: 'STORE_COMPACTED' })
    }
    expect(await store.compactedRevision()).toBe(head)
  })
})
