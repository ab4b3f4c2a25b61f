// What one event costs in the watch cache: delivered to 1,000 cursors, and when it concerns one of up to 5,000; and the memory of an entry.
//   node --expose-gc --conditions=@continuo/source bench/watch-cache.bench.ts

import {
  createMemoryStore,
  createWatchCache,
  type DispatchIndex,
  type Store,
  type StoreBatch,
  silentLog,
  systemClock,
  type WatchCache,
} from '../packages/core/src/index.ts'

const rounds = 5
const value = new Uint8Array(1_024)
const index: DispatchIndex = { keysOf: (entry) => [`name=${entry.key.slice(entry.key.lastIndexOf('/') + 1)}`] }

/** A store whose watch delivers what it is handed, so that only the cache is measured. */
function fedStore(): { store: Store; feed(batch: StoreBatch): void } {
  const store = createMemoryStore()
  let waiting: ((batch: StoreBatch) => void) | undefined
  const pending: StoreBatch[] = []
  const watch = async function* (): AsyncGenerator<StoreBatch> {
    for (;;) yield pending.shift() ?? (await new Promise<StoreBatch>((resolve) => (waiting = resolve)))
  }
  const feed = (batch: StoreBatch): void => {
    const deliver = waiting
    waiting = undefined
    if (deliver === undefined) pending.push(batch)
    else deliver(batch)
  }
  return { feed, store: { ...bound(store), watch } }
}

const bound = (store: Store): Store => ({
  limits: store.limits,
  features: store.features,
  get: (key, options) => store.get(key, options),
  list: (prefix, options) => store.list(prefix, options),
  commit: (transaction) => store.commit(transaction),
  watch: (prefix, options) => store.watch(prefix, options),
  compact: (revision) => store.compact(revision),
  head: () => store.head(),
  compactedRevision: () => store.compactedRevision(),
  close: () => store.close(),
})

/** Microseconds of CPU per event with so many cursors, each of which takes what concerns it. */
async function costPerEvent(cursors: number, keyed: boolean, events: number): Promise<number> {
  const { store, feed } = fedStore()
  const stop = new AbortController()
  const cache: WatchCache = createWatchCache({ store, clock: systemClock, log: silentLog })
  await cache.start(stop.signal)
  cache.index('/pods/', index)
  let taken = 0
  const follow = async (name: number): Promise<void> => {
    const cursor = cache.watch('/pods/', { after: cache.revision, ...(keyed && { dispatchKey: `name=${name}` }) })
    while (!stop.signal.aborted) {
      taken += cursor.take(100).length
      await cursor.ready()
    }
  }
  for (let name = 0; name < cursors; name++) void follow(name)
  let revision = cache.revision
  const run = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      revision++
      feed({ revision, events: [{ type: 'put', key: `/pods/${i % cursors}`, value, createRevision: revision }] })
      await systemClock.yield()
    }
  }
  await run(events)
  taken = 0
  const expected = keyed ? events : events * cursors
  const began = process.cpuUsage()
  await run(events)
  const { user, system } = process.cpuUsage(began)
  if (taken !== expected) throw new Error(`${taken} events were taken, not ${expected}`)
  stop.abort()
  return (user + system) / events
}

/** The bare minimum for the same: one promise per watcher, resolved and awaited again. */
async function bareFanOut(watchers: number, events: number): Promise<number> {
  const waiting: ((value: unknown) => void)[] = []
  let taken = 0
  const follow = async (): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => waiting.push(resolve))
      taken++
    }
  }
  for (let i = 0; i < watchers; i++) void follow()
  const began = process.cpuUsage()
  for (let i = 0; i < events; i++) {
    for (const wake of waiting.splice(0)) wake(i)
    await systemClock.yield()
  }
  const { user, system } = process.cpuUsage(began)
  if (taken !== events * watchers) throw new Error(`${taken} wake-ups`)
  return (user + system) / events
}

/** Bytes per entry of a loaded cache, from a store that cuts its values out of one buffer per page. */
async function bytesPerEntry(size: number): Promise<number> {
  const entries = 20_000
  const store = createMemoryStore()
  const keyOf = (i: number): string =>
    Buffer.from(`/objects/pods/namespace-${i % 50}/deployment-7d9f8b6c5-${String(i).padStart(5, '0')}`).toString()
  let loaded = 0
  const list: Store['list'] = async (_, { limit = entries } = {}) => {
    const buffer = new Uint8Array(limit * size)
    const page = Array.from({ length: Math.min(limit, entries - loaded) }, (_, i) => ({
      key: keyOf(loaded + i),
      value: buffer.subarray(i * size, (i + 1) * size),
      createRevision: 1,
      modRevision: 1,
    }))
    loaded += page.length
    return { entries: page, count: entries - loaded + page.length, revision: 1 }
  }
  const used = async (): Promise<number> => {
    for (let i = 0; i < 8; i++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const cache = createWatchCache({ store: { ...bound(store), list }, clock: systemClock, log: silentLog })
  const before = await used()
  await cache.start(new AbortController().signal)
  const after = await used()
  if (cache.list('').count !== entries) throw new Error('not loaded')
  return (after - before) / entries
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
async function repeated(measure: () => Promise<number>): Promise<number> {
  const values: number[] = []
  for (let i = 0; i < rounds; i++) values.push(await measure())
  return median(values)
}

for (const size of [500, 4_096]) {
  const bytes = await bytesPerEntry(size)
  console.log(`an entry of ${size} B: ${bytes.toFixed(0)} B, ${(bytes - size).toFixed(0)} B beside its value`)
}
const bare = await repeated(() => bareFanOut(1_000, 300))
const shared = await repeated(() => costPerEvent(1_000, false, 300))
console.log(
  `an event to 1,000 cursors: ${shared.toFixed(0)} µs of CPU; bare promises: ${bare.toFixed(0)} µs; ratio ${(shared / bare).toFixed(2)}`,
)
await costPerEvent(10, true, 10_000)
const few = await repeated(() => costPerEvent(10, true, 10_000))
console.log(`an event that concerns one of 10 cursors: ${few.toFixed(1)} µs of CPU`)
for (const cursors of [100, 1_000, 5_000]) {
  const cost = await repeated(() => costPerEvent(cursors, true, 10_000))
  console.log(
    `an event that concerns one of ${cursors} cursors: ${cost.toFixed(1)} µs of CPU; ratio to 10 cursors ${(cost / few).toFixed(2)}`,
  )
}
process.exit()
