import { createWatchCache, silentLog, systemClock } from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { SqliteStore } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

it('keeps a watch cache equal to the store under many writers, also one that starts in the middle', async () => {
  const store = await SqliteStore.open(temporaryDirectory())
  const stop = new AbortController()
  onTestFinished(() => {
    stop.abort()
    return store.close()
  })
  const newCache = async () => {
    const cache = createWatchCache({ store, clock: systemClock, log: silentLog })
    await cache.start(stop.signal)
    return cache
  }
  const first = await newCache()
  const cursor = first.watch('/a/', { after: first.revision })
  const writer = async (name: number): Promise<void> => {
    for (let i = 0; i < 150; i++) {
      const key = `/${i % 3 === 0 ? 'a' : 'b'}/${(name * 7 + i) % 40}`
      const write = i % 6 === 5 ? ({ type: 'delete', key } as const) : ({ type: 'put', key, value: Buffer.from(`${name}-${i}`) } as const)
      await store.commit({ conditions: [], writes: [write] })
      if (i % 20 === 0) {
        await first.caughtUp()
        expect(first.revision).toBeGreaterThanOrEqual((await store.get(key)).entry?.modRevision ?? 0)
      }
    }
  }
  const writing = Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)))
  const second = await newCache()
  await writing
  const shown = (entries: readonly { key: string; value: Uint8Array; createRevision: number; modRevision: number }[]) =>
    entries.map(({ key, value, createRevision, modRevision }) => `${key}=${Buffer.from(value)}@${createRevision}/${modRevision}`)
  const { entries, revision } = await store.list('')
  for (const cache of [first, second]) {
    await cache.caughtUp()
    expect(cache.revision).toBe(revision)
    expect(shown(cache.list('').entries)).toEqual(shown(entries))
  }
  const events = cursor.take(10_000)
  expect(events.every((event, i) => i === 0 || event.revision >= (events[i - 1]?.revision ?? 0))).toBe(true)
  const folded = new Map<string, number>()
  for (const { key, entry } of events) {
    if (entry === undefined) folded.delete(key)
    else folded.set(key, entry.modRevision)
  }
  expect(folded).toEqual(new Map(entries.filter(({ key }) => key.startsWith('/a/')).map(({ key, modRevision }) => [key, modRevision])))
})
