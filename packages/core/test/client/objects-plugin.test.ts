import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  type CommitResult,
  createHost,
  definePlugin,
  Event,
  EventsV1Event,
  kind,
  Lease,
  MemoryStore,
  Namespace,
  ObjectServiceCap,
  type ResourceDefinition,
  raiseVersionBase,
  StoreCap,
  StoreError,
  SubresourceActionCap,
  systemNamespaces,
  type ValueTransform,
  ValueTransformCap,
} from '../../src/index.ts'
import { startCluster, Widget, widget, widgetResource } from './cluster.ts'

const caller = { user: { username: 'test' }, trusted: true }
const names = (list: { items: readonly { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name)

it('makes the namespaces of the system, once, and finds what was stored before', async () => {
  const store = new MemoryStore()
  const first = await startCluster({ store })
  const made = await first.client.for(Widget).create(widget('a'))
  const before = await first.client.for(Namespace).list()
  expect(names(before)).toEqual(systemNamespaces)
  expect(before.items[0]).toMatchObject({
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
    metadata: { labels: { 'kubernetes.io/metadata.name': 'default' } },
  })
  const second = await startCluster({ store })
  expect((await second.client.for(Namespace).list()).items).toEqual(before.items)
  expect(await second.client.for(Widget).get('default/a')).toEqual(made)
})

it('compacts the store by the clock, and keeps what is younger than the retention', async () => {
  const clock = createVirtualClock()
  const { client, store } = await startCluster({ clock, config: { compactionRetentionSeconds: 60 } })
  await client.for(Widget).create(widget('a'))
  await clock.advance(59_000)
  expect(await store.compactedRevision()).toBe(1)
  await clock.advance(2_000)
  const head = await store.head()
  expect(await store.compactedRevision()).toBeLessThan(head)
  await client.for(Widget).create(widget('b'))
  await clock.advance(60_000)
  expect(await store.compactedRevision()).toBe(head)
})

it('reports every fault of its configuration', async () => {
  const faults = await startCluster({ config: { compactionRetentionSeconds: 0, colour: 'red' } }).catch((error) => String(error.message))
  expect(faults).toContain('compactionRetentionSeconds')
  expect(faults).toContain('colour')
})

it('gives out no resource version twice after the base was raised', async () => {
  const store = new MemoryStore()
  const first = await startCluster({ store })
  const made = await first.client.for(Widget).create(widget('a'))
  const page = await first.client.for(Namespace).list({ limit: 1 })
  await raiseVersionBase(store, 5000)
  await raiseVersionBase(store, 10)
  const second = await startCluster({ store })
  const read = await second.client.for(Widget).get('default/a')
  expect(Number(read.metadata.resourceVersion)).toBe(5000 + Number(made.metadata.resourceVersion))
  await expect(second.client.for(Widget).update({ ...made, spec: { size: 2 } })).rejects.toMatchObject({ status: 409 })
  await expect(
    second.client.for(Widget).watch({ resourceVersion: made.metadata.resourceVersion ?? '', signal: new AbortController().signal }),
  ).rejects.toMatchObject({ status: 410 })
  await expect(second.client.for(Namespace).list({ continue: page.metadata.continue ?? '' })).rejects.toMatchObject({ status: 410 })
})

it('goes on with the fresh token of an expired list', async () => {
  const { client, store } = await startCluster()
  const first = await client.for(Namespace).list({ limit: 2 })
  await client.for(Widget).create(widget('a'))
  await store.compact(await store.head())
  const error = await client
    .for(Namespace)
    .list({ limit: 2, continue: first.metadata.continue ?? '' })
    .catch((thrown) => thrown)
  const fresh = error.toStatus().metadata.continue
  expect(error.reason).toBe('Expired')
  expect(names(await client.for(Namespace).list({ continue: fresh }))).toEqual(systemNamespaces.slice(2))
})

it('encrypts what it stores when something provides value-transform/v1', async () => {
  const transform: ValueTransform = {
    writeKey: (key) => (key.includes('/widgets/') ? 'k1' : undefined),
    encrypt: (plain) => plain.map((byte) => byte ^ 0x5a),
    decrypt: (sealed) => sealed.map((byte) => byte ^ 0x5a),
  }
  const { client, store } = await startCluster({
    plugins: [
      definePlugin({ name: 'seal', api: '^1', provides: [ValueTransformCap], setup: (ctx) => ctx.provide(ValueTransformCap, transform) }),
    ],
  })
  const made = await client.for(Widget).create(widget('a', { owner: 'secret' }))
  const { entry } = await store.get('/registry/demo.io/widgets/default/a')
  expect(Buffer.from(entry?.value ?? '').includes('secret')).toBe(false)
  expect(await client.for(Widget).get('default/a')).toEqual(made)
})

it('finds out by itself whether a write of unknown outcome happened', async () => {
  class Doubtful extends MemoryStore {
    doubt: 'applied' | 'lost' | undefined
    override async commit(transaction: Parameters<MemoryStore['commit']>[0]): Promise<CommitResult> {
      const { doubt } = this
      this.doubt = undefined
      if (doubt !== 'lost') {
        const result = await super.commit(transaction)
        if (doubt === undefined) return result
      }
      throw new StoreError('STORE_OUTCOME_UNKNOWN', 'connection lost')
    }
  }
  const store = new Doubtful()
  const { client } = await startCluster({ store })
  store.doubt = 'applied'
  expect((await client.for(Widget).create(widget('a'))).metadata.resourceVersion).toBe(String(await store.head()))
  store.doubt = 'lost'
  await expect(client.for(Widget).create(widget('b'))).rejects.toMatchObject({ status: 504 })
})

it('maps the faults of a store to what clients know', async () => {
  class Failing extends MemoryStore {
    fails: StoreError | undefined
    override async commit(transaction: Parameters<MemoryStore['commit']>[0]): Promise<CommitResult> {
      if (this.fails !== undefined) throw this.fails
      return super.commit(transaction)
    }
  }
  const store = new Failing()
  const { client } = await startCluster({ store })
  store.fails = new StoreError('STORE_UNAVAILABLE', 'gone')
  await expect(client.for(Widget).create(widget('a'))).rejects.toMatchObject({ status: 503, details: { retryAfterSeconds: 1 } })
  store.fails = new StoreError('STORE_TOO_LARGE', 'big')
  await expect(client.for(Widget).create(widget('a'))).rejects.toMatchObject({ status: 413 })
})

it('refuses objects above the limit with 413', async () => {
  const { client } = await startCluster({ config: { maxObjectBytes: 4096 } })
  await expect(client.for(Widget).create(widget('a', { owner: 'x'.repeat(5000) }))).rejects.toMatchObject({
    status: 413,
    reason: 'RequestEntityTooLarge',
  })
})

it('warns of unknown and duplicate fields, once each, unless told to be strict or silent', async () => {
  const { service } = await startCluster()
  const warned: string[] = []
  const warning = { ...caller, warn: (text: string) => void warned.push(text) }
  const ref = { ...Widget, namespace: 'default', name: '' }
  const body = { ...widget('a'), wings: 2 }
  await service.create(ref, body, { duplicateFields: ['spec.size'] }, warning)
  expect(warned).toEqual(['duplicate field "spec.size"', 'unknown field "wings"'])
  await expect(service.create(ref, body, { fieldValidation: 'Strict', duplicateFields: ['spec.size'] }, warning)).rejects.toMatchObject({
    status: 400,
    message:
      'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.size", unknown field "wings"',
  })
})

it('keeps no empty labels, annotations, finalizers or owners', async () => {
  const { client } = await startCluster()
  const widgets = client.for(Widget)
  const created = await widgets.create(widget('a', {}, { labels: {}, annotations: { one: '1' }, finalizers: [], ownerReferences: [] }))
  expect([created.metadata.labels, created.metadata.finalizers, created.metadata.ownerReferences]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  const patched = await widgets.patch('default/a', { type: 'merge', body: { metadata: { labels: {}, annotations: { one: null } } } })
  expect([patched.metadata.labels, patched.metadata.annotations]).toEqual([undefined, undefined])
})

it('refuses strategic merge patches of custom resources with 415', async () => {
  const { client } = await startCluster({ kinds: [{ ...widgetResource, custom: true }] })
  await client.for(Widget).create(widget('a'))
  await expect(client.for(Widget).patch('default/a', { type: 'strategic', body: {} })).rejects.toMatchObject({ status: 415 })
})

it('hands actions and virtual resources to their doers, and says so when there is none', async () => {
  const review = {
    group: 'demo.io',
    plural: 'reviews',
    kind: 'Review',
    namespaced: false,
    storageVersion: 'v1',
    virtual: true,
    versions: [{ name: 'v1', schema: { type: 'object', properties: { spec: { type: 'object' } } } }],
  } satisfies ResourceDefinition
  const Review = kind({ group: 'demo.io', version: 'v1', kind: 'Review', resource: 'reviews', namespaced: false })
  const { client } = await startCluster({
    kinds: [widgetResource, review],
    plugins: [
      definePlugin({
        name: 'reviewer',
        api: '^1',
        provides: [SubresourceActionCap],
        setup: (ctx) =>
          ctx.provide(
            SubresourceActionCap,
            { run: async ({ body, caller: who }) => ({ ...body, status: { by: who.fieldManager ?? '' } }) },
            'demo.io/reviews/',
          ),
      }),
    ],
  })
  const body = { apiVersion: 'demo.io/v1', kind: 'Review', metadata: { name: '' } }
  expect(await client.with({ fieldManager: 'me' }).for(Review).create(body)).toMatchObject({ status: { by: 'me' } })
  await expect(client.for(Review).list()).rejects.toMatchObject({ status: 405 })
  await client.for(Widget).create(widget('a'))
  await expect(
    client
      .for(Widget)
      .subresource('polish')
      .create('default/a', { apiVersion: 'demo.io/v1', kind: 'Polish', metadata: { name: 'a' } }),
  ).rejects.toMatchObject({ status: 503 })
})

it('lets a namespace go when its finalizers are taken by finalize', async () => {
  const { client } = await startCluster()
  const namespaces = client.for(Namespace)
  await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'short' } })
  expect(await namespaces.delete('short')).toMatchObject({
    status: { phase: 'Terminating' },
    metadata: { deletionTimestamp: expect.any(String) },
  })
  const ending = await namespaces.update({ ...(await namespaces.get('short')), spec: { finalizers: [] } })
  expect(ending.spec?.finalizers).toEqual(['kubernetes'])
  await namespaces.subresource<Namespace>('finalize').update('short', { ...ending, spec: { finalizers: [] } })
  await expect(namespaces.get('short')).rejects.toMatchObject({ status: 404 })
})

it('serves events in both groups from one store, selected by what they are about', async () => {
  const { client, registry } = await startCluster()
  await client.for(EventsV1Event).create({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'default' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'demo',
    reportingInstance: 'demo-1',
    action: 'Test',
    reason: 'Tested',
    type: 'Normal',
    note: 'it was tested',
    regarding: { kind: 'Widget', namespace: 'default', name: 'a' },
  })
  const event = await client.for(Event).get('default/e')
  expect(event).toMatchObject({ apiVersion: 'v1', message: 'it was tested', involvedObject: { name: 'a' }, reportingComponent: 'demo' })
  expect(names(await client.for(Event).list({ fieldSelector: 'involvedObject.name=a' }))).toEqual(['e'])
  expect(names(await client.for(Event).list({ fieldSelector: 'involvedObject.name=b' }))).toEqual([])
  expect(names(await client.for(EventsV1Event).list({ fieldSelector: 'regarding.name=a,reason=Tested' }))).toEqual(['e'])
  const definition = registry.get({ group: '', resource: 'events' })
  expect(definition?.strategy?.expiresAt?.(event as never)).toBe(Date.UTC(2026, 0, 1, 1))
  expect(definition?.versions[0]?.table?.row(event as never, Date.UTC(2026, 0, 1, 0, 5))[3]).toBe('widget/a')
})

it('checks leases', async () => {
  const { client } = await startCluster()
  const lease = (spec: Lease['spec']): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'l', namespace: 'kube-system' },
    spec,
  })
  await expect(client.for(Lease).create(lease({ leaseDurationSeconds: 0 }))).rejects.toMatchObject({ status: 422 })
  expect(
    (await client.for(Lease).create(lease({ leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.123456Z' }))).spec?.renewTime,
  ).toBe('2026-01-01T00:00:00.123456Z')
})

it('is there in every host with a store, without being named', async () => {
  const host = createHost({
    name: 'plain',
    role: 'control-plane',
    plugins: [
      {
        slot: 'store',
        plugin: definePlugin({ name: 'memory', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, new MemoryStore()) }),
      },
    ],
  })
  await host.start()
  expect((await host.use(ObjectServiceCap).list({ ...Namespace, namespace: '' }, {}, caller)).items.length).toBe(4)
  await host.stop()
})
