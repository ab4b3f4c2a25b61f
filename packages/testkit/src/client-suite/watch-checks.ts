import { deepEqual, equal, ok } from 'node:assert/strict'
import { type ClientCheck, eventually, refusal, WatchReader, within } from './client-check.ts'

export const watchChecks: readonly ClientCheck[] = [
  {
    name: 'a watch without version begins with what is there',
    async run({ gauges, gauge, at, namespace }) {
      await gauges.create(gauge('a'))
      await gauges.create(gauge('b'))
      const watch = await WatchReader.open(gauges, { namespace })
      deepEqual([...(await watch.names(2))].sort(), ['ADDED a', 'ADDED b'])
      await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: 5 } } })
      await gauges.delete(at('b'))
      deepEqual(await watch.names(2), ['MODIFIED a', 'DELETED b'])
      await watch.end()
    },
  },
  {
    name: 'a watch from a version tells only what came later, as it came',
    async run({ gauges, gauge, at, namespace }) {
      const a = await gauges.create(gauge('a'))
      await gauges.create(gauge('b'))
      const changed = await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: 2 } } })
      const watch = await WatchReader.open(gauges, { namespace, resourceVersion: a.metadata.resourceVersion ?? '' })
      const events = [await watch.next(), await watch.next()]
      deepEqual(
        events.map((event) => (event?.type === 'BOOKMARK' ? '' : `${event?.type} ${event?.object.metadata.name}`)),
        ['ADDED b', 'MODIFIED a'],
      )
      deepEqual(events[1]?.type === 'MODIFIED' ? events[1].object : undefined, changed)
      await watch.end()
    },
  },
  {
    name: 'a deletion carries the last state and the version of the deletion',
    async run({ gauges, gauge, at, namespace }) {
      const made = await gauges.create(gauge('a', { size: 3 }))
      const watch = await WatchReader.open(gauges, { namespace, resourceVersion: made.metadata.resourceVersion ?? '' })
      await gauges.delete(at('a'))
      const event = await watch.next()
      ok(event?.type === 'DELETED')
      equal(event.object.spec?.size, 3)
      ok(Number(event.object.metadata.resourceVersion) > Number(made.metadata.resourceVersion))
      await watch.end()
    },
  },
  {
    name: 'an object that enters or leaves a selection is ADDED or DELETED',
    async run({ gauges, gauge, at, namespace }) {
      const { metadata } = await gauges.list({ namespace })
      const from = { namespace, resourceVersion: metadata.resourceVersion ?? '' }
      const labels = await WatchReader.open(gauges, { ...from, labelSelector: 'on=yes' })
      const fields = await WatchReader.open(gauges, { ...from, fieldSelector: 'spec.owner=me' })
      await gauges.create(gauge('a'))
      await gauges.patch(at('a'), { type: 'merge', body: { metadata: { labels: { on: 'yes' } }, spec: { owner: 'me' } } })
      await gauges.patch(at('a'), { type: 'merge', body: { spec: { size: 9 } } })
      await gauges.patch(at('a'), { type: 'merge', body: { metadata: { labels: { on: 'no' } }, spec: { owner: 'you' } } })
      await gauges.delete(at('a'))
      await gauges.create(gauge('b', { owner: 'me' }, { labels: { on: 'yes' } }))
      const wanted = ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b']
      deepEqual(await labels.names(4), wanted)
      deepEqual(await fields.names(4), wanted)
      await labels.end()
      await fields.end()
    },
  },
  {
    name: 'a watch of one name sees that object alone',
    async run({ gauges, gauge, at, namespace }) {
      const watch = await WatchReader.open(gauges, { namespace, fieldSelector: 'metadata.name=a' })
      await gauges.create(gauge('b'))
      await gauges.create(gauge('a'))
      await gauges.delete(at('b'))
      await gauges.delete(at('a'))
      deepEqual(await watch.names(2), ['ADDED a', 'DELETED a'])
      await watch.end()
    },
  },
  {
    name: 'all watchers see one order',
    async run({ gauges, gauge, namespace }) {
      const { metadata } = await gauges.list({ namespace })
      const from = { namespace, resourceVersion: metadata.resourceVersion ?? '' }
      const watches = await Promise.all(Array.from({ length: 4 }, () => WatchReader.open(gauges, from)))
      await Promise.all(Array.from({ length: 30 }, (_, index) => gauges.create(gauge(`w${index}`))))
      const seen = await Promise.all(watches.map((watch) => watch.names(30)))
      for (const one of seen) deepEqual(one, seen[0])
      equal(new Set(seen[0]).size, 30)
      await Promise.all(watches.map((watch) => watch.end()))
    },
  },
  {
    name: 'a streaming list gives the state and then a bookmark that ends it',
    async run({ gauges, gauge, namespace }) {
      await gauges.create(gauge('a'))
      await gauges.create(gauge('b'))
      const watch = await WatchReader.open(gauges, {
        namespace,
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
      })
      const events = [await watch.next(), await watch.next(), await watch.next()]
      deepEqual(
        events.map((event) => event?.type),
        ['ADDED', 'ADDED', 'BOOKMARK'],
      )
      const end = events[2]
      ok(end?.type === 'BOOKMARK' && end.initialEventsEnd === true)
      await gauges.create(gauge('c'))
      const next = await watch.next()
      ok(next?.type === 'ADDED' && Number(next.object.metadata.resourceVersion) > Number(end.resourceVersion))
      await watch.end()
    },
  },
  {
    name: 'a streaming list of nothing is a bookmark alone',
    async run({ gauges, namespace }) {
      const watch = await WatchReader.open(gauges, {
        namespace,
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
      })
      const event = await watch.next()
      ok(event?.type === 'BOOKMARK' && event.initialEventsEnd === true)
      await watch.end()
    },
  },
  {
    name: 'refuses watch options that contradict each other',
    async run({ gauges, namespace }) {
      const { signal } = new AbortController()
      await refusal(gauges.watch({ namespace, signal, sendInitialEvents: true }), 'Invalid', 422)
      await refusal(gauges.watch({ namespace, signal, resourceVersionMatch: 'NotOlderThan' }), 'Invalid', 422)
    },
  },
  {
    name: 'ends when the signal aborts, without an error',
    async run({ gauges, namespace }) {
      const watch = await WatchReader.open(gauges, { namespace })
      watch.abort()
      equal(await watch.next(), undefined)
    },
  },
  {
    name: 'ends when its time is up, without an error',
    async run({ gauges, namespace }) {
      const watch = await WatchReader.open(gauges, { namespace, timeoutSeconds: 1 })
      equal(await watch.next(), undefined)
    },
  },
  {
    name: 'loses nothing between list and watch while others write',
    async run({ gauges, gauge, namespace }) {
      let writing = true
      let made = 0
      const writer = (async () => {
        while (writing && made < 300) await gauges.create(gauge(`c${made++}`))
      })()
      await eventually('some writes', async () => made > 5)
      const list = await gauges.list({ namespace })
      const watch = await WatchReader.open(gauges, { namespace, resourceVersion: list.metadata.resourceVersion ?? '' })
      await eventually('more writes', async () => made > 30)
      writing = false
      await writer
      const later = await watch.names(made - list.items.length)
      equal(new Set([...list.items.map((item) => item.metadata.name), ...later.map((name) => name.slice('ADDED '.length))]).size, made)
      await within(watch.end(), 'the end')
    },
  },
]
