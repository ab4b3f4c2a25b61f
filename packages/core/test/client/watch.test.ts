import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { type Clock, kind, MemoryStore, type ResourceDefinition, type WatchCursor, type WatchViewEvent } from '../../src/index.ts'
import { startCluster, Widget, widget, widgetResource } from './cluster.ts'

const caller = { user: { username: 'test' }, trusted: true }
const collection = { ...Widget, namespace: 'default' }

/** Everything that comes until `count` events are there or the cursor ends. */
async function read(cursor: WatchCursor, count: number): Promise<WatchViewEvent[]> {
  const events: WatchViewEvent[] = []
  while (events.length < count && !cursor.ended) {
    await cursor.ready()
    events.push(...cursor.take(count - events.length))
  }
  return events
}

it('sends bookmarks about once a minute by the clock, and on request', async () => {
  const clock = createVirtualClock()
  const { service, client } = await startCluster({ clock })
  const cursor = await service.watch(collection, { allowWatchBookmarks: true }, caller)
  const made = await client.for(Widget).create(widget('a'))
  expect((await read(cursor, 1))[0]).toMatchObject({ type: 'ADDED' })
  cursor.requestBookmark()
  expect(await read(cursor, 1)).toEqual([{ type: 'BOOKMARK', resourceVersion: made.metadata.resourceVersion }])
  let woke = false
  const waiting = cursor.ready().then(() => {
    woke = true
  })
  await clock.advance(50_000)
  expect(woke).toBe(false)
  await clock.advance(11_000)
  await waiting
  expect(cursor.take(10)).toMatchObject([{ type: 'BOOKMARK' }])
  cursor.close()
  expect(cursor.ended).toBe(true)
})

it('shares one encoding between all watchers of an event', async () => {
  const { service, client } = await startCluster()
  const cursors = await Promise.all(Array.from({ length: 5 }, () => service.watch(collection, {}, caller)))
  await client.for(Widget).create(widget('a'))
  let made = 0
  const bytes = new Set<Uint8Array>()
  for (const cursor of cursors) {
    const [event] = await read(cursor, 1)
    const encode = (view: { readonly name: string }): Uint8Array => {
      made += 1
      return Buffer.from(`+${view.name}`)
    }
    if (event?.type === 'ADDED') bytes.add(event.view.encoded('event/ADDED', encode))
  }
  expect([made, bytes.size]).toEqual([1, 1])
})

it('ends every watch of a resource that is removed or replaced, after what was read', async () => {
  const { service, registry } = await startCluster()
  const other: ResourceDefinition = { ...widgetResource, plural: 'passing', kind: 'Passing', shortNames: [] }
  const entry = registry.add(other, 'test')
  const cursor = await service.watch({ ...collection, resource: 'passing' }, {}, caller)
  const ending = cursor.ready()
  entry[Symbol.dispose]()
  await ending
  expect(cursor.take(1)).toEqual([])
  expect(cursor.ended).toBe(true)
  await expect(service.watch({ ...collection, resource: 'passing' }, {}, caller)).rejects.toMatchObject({ status: 404 })
})

it('delivers what happened before it ended, and says where to go on', async () => {
  const { service, client, registry } = await startCluster()
  const other: ResourceDefinition = { ...widgetResource, plural: 'passing', kind: 'Passing', shortNames: [] }
  const entry = registry.add(other, 'test')
  const cursor = await service.watch({ ...collection, resource: 'passing' }, { allowWatchBookmarks: true }, caller)
  const passing = await client.resource({ ...Widget, resource: 'passing' })
  for (const name of ['a', 'b']) await passing.create({ ...widget(name), kind: 'Passing' })
  const last = await passing.get('default/b')
  entry.replace({ ...other, verbs: ['get', 'list', 'watch', 'delete'] })
  entry[Symbol.dispose]()
  await client.for(Widget).create(widget('later'))
  const events = await read(cursor, 10)
  expect(events.map((event) => [event.type, event.type === 'BOOKMARK' ? '' : event.view.name])).toEqual([
    ['ADDED', 'a'],
    ['ADDED', 'b'],
    ['BOOKMARK', ''],
  ])
  expect(events[2]).toMatchObject({ resourceVersion: last.metadata.resourceVersion })
  expect(cursor.ended).toBe(true)
})

it('goes on when only the verbs of its resource change', async () => {
  const { service, client, registry } = await startCluster()
  const other: ResourceDefinition = { ...widgetResource, plural: 'passing', kind: 'Passing', shortNames: [] }
  const entry = registry.add(other, 'test')
  const cursor = await service.watch({ ...collection, resource: 'passing' }, {}, caller)
  const passing = await client.resource({ ...Widget, resource: 'passing' })
  await passing.create({ ...widget('a'), kind: 'Passing' })
  entry.replace({ ...other, verbs: ['get', 'list', 'watch', 'delete'] })
  await passing.delete('default/a')
  expect((await read(cursor, 2)).map((event) => event.type)).toEqual(['ADDED', 'DELETED'])
  entry.replace({ ...other, versions: [...other.versions] })
  expect(await read(cursor, 1)).toEqual([])
  expect(cursor.ended).toBe(true)
})

it('refuses versions that are no longer held with 410, and future ones with 504', async () => {
  const store = new MemoryStore()
  const { client } = await startCluster({ store })
  const first = await client.for(Widget).create(widget('a'))
  for (let i = 0; i < 5; i++) await client.for(Widget).create(widget(`b${i}`))
  await store.compact(await store.head())
  const again = await startCluster({ store })
  const version = first.metadata.resourceVersion ?? ''
  await expect(again.service.watch(collection, { resourceVersion: version }, caller)).rejects.toMatchObject({
    status: 410,
    reason: 'Expired',
  })
  await expect(again.service.watch(collection, { resourceVersion: '9000000' }, caller)).rejects.toMatchObject({ status: 504 })
})

it('converts what a watch of another version sees, selectors included', async () => {
  const Both = kind<Widget>({ group: 'demo.io', version: 'v2', kind: 'Both', resource: 'boths', namespaced: true })
  const boths: ResourceDefinition = {
    ...widgetResource,
    plural: 'boths',
    kind: 'Both',
    shortNames: [],
    versions: [
      ...widgetResource.versions,
      {
        name: 'v2',
        schema: { type: 'object', properties: { spec: { type: 'object', properties: { owner2: { type: 'string' } } } } },
        selectableFields: { 'spec.owner2': (object) => String((object.spec as { owner2?: string }).owner2 ?? '') },
      },
    ],
    convert: async (objects, apiVersion) =>
      objects.map((object) => {
        const { owner, owner2 = owner } = (object.spec ?? {}) as { owner?: string; owner2?: string }
        return { ...object, apiVersion, spec: apiVersion.endsWith('v2') ? { owner2 } : { owner: owner2 } }
      }),
  }
  const { service, client } = await startCluster({ kinds: [boths] })
  const v1 = client.for({ ...Both, version: 'v1' })
  await v1.create({ ...widget('a', { owner: 'me' }), kind: 'Both' })
  const cursor = await service.watch({ ...Both, namespace: 'default' }, { fieldSelector: 'spec.owner2=me' }, caller)
  await v1.create({ ...widget('b', { owner: 'you' }), kind: 'Both' })
  await v1.update({ ...widget('a', { owner: 'you' }), kind: 'Both' })
  const events = await read(cursor, 2)
  expect(events.map((event) => event.type)).toEqual(['ADDED', 'DELETED'])
  expect(events[0]?.type === 'ADDED' && events[0].view.object).toMatchObject({ apiVersion: 'demo.io/v2', spec: { owner2: 'me' } })
  const back = await client.for(Both).get('default/b')
  expect(back).toMatchObject({ apiVersion: 'demo.io/v2', spec: { owner2: 'you' } })
  await client.for(Both).update({ ...back, spec: { owner2: 'us' } as never })
  expect((await v1.get('default/b')).spec?.owner).toBe('us')
})

it('times out by the clock', async () => {
  const clock: Clock & { advance(ms: number): Promise<void> } = createVirtualClock()
  const { service } = await startCluster({ clock })
  const cursor = await service.watch(collection, { timeoutSeconds: 7, allowWatchBookmarks: true }, caller)
  await clock.advance(7_001)
  await cursor.ready()
  expect(cursor.take(5).map((event) => event.type)).toEqual(['BOOKMARK'])
  expect(cursor.ended).toBe(true)
})

it('ends open watches when the service is disposed, and lets go of all of its timers', async () => {
  const clock = createVirtualClock()
  const { service, host } = await startCluster({ clock })
  const watch = await service.watch(collection, { allowWatchBookmarks: true, timeoutSeconds: 3600 }, caller)
  const ending = watch.ready()
  await host.stop()
  await ending
  expect(watch.take(10).map((event) => event.type)).toEqual(['BOOKMARK'])
  expect(watch.take(10)).toEqual([])
  expect(watch.ended).toBe(true)
  expect(clock.pending).toBe(0)
})
