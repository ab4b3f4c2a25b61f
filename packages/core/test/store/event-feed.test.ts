import { describe, expect, it } from 'vitest'
import { EventFeed } from '../../src/store/event-feed.ts'
import type { StoreBatch } from '../../src/store/store.ts'
import { StoreError } from '../../src/store/store-error.ts'

const batch = (revision: number, key = `/${revision}`, size = 1): StoreBatch => ({
  revision,
  events: [{ type: 'put', key, value: new Uint8Array(size), createRevision: revision }],
})

const noBackfill = (): never => {
  throw new StoreError('STORE_COMPACTED', 'there is no history')
}

function watched(feed: EventFeed, prefix: string, after: number, backfill: (after: number) => readonly StoreBatch[] = noBackfill) {
  const stop = new AbortController()
  const batches = feed.watch(prefix, { after, signal: stop.signal, backfill })
  return { next: async () => (await batches.next()).value?.revision, stop }
}

describe('EventFeed', () => {
  it('ends a watch that fell behind what is kept', async () => {
    const feed = new EventFeed({ head: 1, maxBatches: 5 })
    const { next } = watched(feed, '', 1)
    feed.append(batch(2))
    expect(await next()).toBe(2)
    for (let revision = 3; revision < 30; revision++) feed.append(batch(revision))
    await expect(next()).rejects.toMatchObject({ code: 'STORE_SLOW_CONSUMER' })
  })

  it('bounds what is kept by bytes, too', async () => {
    const feed = new EventFeed({ head: 1, maxBytes: 10_000 })
    const { next } = watched(feed, '', 1)
    feed.append(batch(2))
    await next()
    for (let revision = 3; revision < 30; revision++) feed.append(batch(revision, '/a', 2_000))
    await expect(next()).rejects.toMatchObject({ code: 'STORE_SLOW_CONSUMER' })
  })

  it('serves a watch from history until it arrives', async () => {
    const feed = new EventFeed({ head: 10, maxBatches: 5 })
    const asked: number[] = []
    const history = (after: number) => {
      asked.push(after)
      return [batch(after + 1), batch(after + 2)]
    }
    const { next } = watched(feed, '', 2, history)
    const seen: (number | undefined)[] = []
    for (let i = 0; i < 8; i++) seen.push(await next())
    feed.append(batch(11))
    seen.push(await next())
    expect(seen).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(asked).toEqual([2, 4, 6, 8])
  })

  it('wakes a watch only with what lies under its prefix', async () => {
    const feed = new EventFeed({ head: 1 })
    const { next } = watched(feed, '/a/', 1)
    const waiting = next()
    feed.append(batch(2, '/b/1'))
    feed.append({ revision: 3, events: [...batch(3, '/b/2').events, ...batch(3, '/a/1').events] })
    expect(await waiting).toBe(3)
  })

  it('keeps serving over many more batches than it holds', async () => {
    const feed = new EventFeed({ head: 0, maxBatches: 2_000 })
    const { next } = watched(feed, '', 0)
    for (let revision = 1; revision <= 20_000; revision++) {
      feed.append(batch(revision))
      if (revision % 1_000 === 0) for (let i = revision - 999; i <= revision; i++) expect(await next()).toBe(i)
    }
  })

  it('ends all watches with the error that it fails with', async () => {
    const feed = new EventFeed({ head: 1 })
    const first = watched(feed, '', 1).next()
    feed.fail(new StoreError('STORE_CLOSED', 'closed'))
    await expect(first).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await expect(watched(feed, '', 1).next()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })
})
