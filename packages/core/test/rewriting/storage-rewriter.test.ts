import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  definePlugin,
  kind,
  MemoryStore,
  MetricsCap,
  type ResourceDefinition,
  type Store,
  type ValueTransform,
  ValueTransformCap,
} from '../../src/index.ts'
import { sealedWith } from '../../src/resources/value-envelope.ts'
import { type Cluster, type ClusterOptions, startCluster, Widget, widget, widgetResource } from '../client/cluster.ts'
import { createRecordingLog } from '../fakes/recording-log.ts'

const at = (name: string) => `/registry/demo.io/widgets/default/${name}`

/** Each key is a byte that is xored, which is enough to tell them apart. */
function transformOf(keys: Readonly<Record<string, number>>): ValueTransform {
  const byte = (keyId: string): number => {
    const found = keys[keyId]
    if (found === undefined) throw new Error(`no key ${keyId}`)
    return found
  }
  return {
    keyIds: Object.keys(keys),
    writeKey: (key) => (key.includes('/widgets/') ? Object.keys(keys)[0] : undefined),
    encrypt: (plain, keyId) => plain.map((one) => one ^ byte(keyId)),
    decrypt: (sealed, keyId) => sealed.map((one) => one ^ byte(keyId)),
  }
}

interface Run extends Cluster {
  readonly clock: ReturnType<typeof createVirtualClock>
  readonly messages: () => readonly string[]
}

async function start(store: Store, keys: Readonly<Record<string, number>> | undefined, options: ClusterOptions = {}): Promise<Run> {
  const clock = createVirtualClock()
  const log = createRecordingLog()
  const sealing = definePlugin({
    name: 'seal',
    api: '^1',
    provides: [ValueTransformCap],
    setup: (ctx) => ctx.provide(ValueTransformCap, transformOf(keys ?? {})),
  })
  const cluster = await startCluster({
    store,
    clock,
    log,
    plugins: keys === undefined ? [] : [sealing],
    config: { compactionRetentionSeconds: 60, rewritesPerSecond: 10 },
    ...options,
  })
  return { ...cluster, clock, messages: () => log.entries.map((entry) => `${entry.message} ${String(entry.key ?? '')}`.trim()) }
}

const keyAt = async (store: Store, key: string): Promise<string> => sealedWith((await store.get(key)).entry?.value ?? new Uint8Array())

it('brings what lies plain or under an older key under the first one, at its rate, and tells when the old key is over', async () => {
  const store = new MemoryStore()
  const plain = await start(store, undefined)
  for (const name of ['a', 'b', 'c']) await plain.client.for(Widget).create(widget(name, { owner: name }))
  await plain.host.stop()

  const first = await start(store, { old: 7 })
  await first.clock.advance(150)
  expect(await Promise.all(['a', 'b', 'c'].map((name) => keyAt(store, at(name))))).toEqual(['old', 'old', ''])
  await first.clock.advance(200)
  expect(await keyAt(store, at('c'))).toBe('old')
  await first.host.stop()

  const second = await start(store, { fresh: 9, old: 7 })
  await second.clock.advance(1_000)
  expect(await Promise.all(['a', 'b', 'c'].map((name) => keyAt(store, at(name))))).toEqual(['fresh', 'fresh', 'fresh'])
  const over = /needs this key any more.* old$/
  expect(second.messages().some((text) => over.test(text))).toBe(false)
  await second.clock.advance(200_000)
  expect(second.messages().filter((text) => over.test(text))).toHaveLength(1)
  const metrics = await second.host.use(MetricsCap).expose()
  expect(metrics).toContain('continuo_storage_encrypted_objects{key="fresh"} 3')
  expect(metrics).toContain('continuo_storage_encrypted_objects{key="old"} 0')
  expect(metrics).toContain('continuo_storage_rewrites_total{reason="key"} 3')
  await second.host.stop()

  const third = await start(store, { fresh: 9 })
  expect((await third.client.for(Widget).list()).items.map((item) => item.spec?.owner)).toEqual(['a', 'b', 'c'])
})

it('goes on where another process stopped, and writes nothing twice', async () => {
  const store = new MemoryStore()
  const plain = await start(store, undefined)
  for (const name of ['a', 'b', 'c', 'd']) await plain.client.for(Widget).create(widget(name))
  await plain.host.stop()
  const first = await start(store, { old: 7 })
  await first.clock.advance(150)
  await first.host.stop()
  const done = (await store.get(at('a'))).entry?.modRevision
  const second = await start(store, { old: 7 })
  await second.clock.advance(1_000)
  expect(await Promise.all(['a', 'b', 'c', 'd'].map((name) => keyAt(store, at(name))))).toEqual(['old', 'old', 'old', 'old'])
  expect((await store.get(at('a'))).entry?.modRevision).toBe(done)
  const head = await store.head()
  await second.clock.advance(300_000)
  expect(await store.head()).toBe(head)
})

it('moves objects to another storage version, when the definition changes too', async () => {
  const store = new MemoryStore()
  const two: ResourceDefinition = {
    ...widgetResource,
    versions: [...widgetResource.versions, { ...(widgetResource.versions[0] as ResourceDefinition['versions'][0]), name: 'v2' }],
  }
  const { client, registry, clock } = await start(store, { key: 3 }, { kinds: [] })
  const added = registry.add(two, 'test')
  await client.for(Widget).create(widget('a', { owner: 'ann' }))
  await clock.advance(10_000)
  const before = await client.for(Widget).get('default/a')
  added.replace({ ...two, storageVersion: 'v2' })
  await clock.advance(10_000)
  const stored = (await store.get(at('a'))).entry?.value ?? new Uint8Array()
  expect(
    Buffer.from(stored.subarray(6))
      .map((one) => one ^ 3)
      .toString(),
  ).toContain('"apiVersion":"demo.io/v2"')
  const { resourceVersion, ...meta } = (await client.for(Widget).get('default/a')).metadata
  expect(meta).toEqual({ ...before.metadata, resourceVersion: undefined })
  expect(resourceVersion).not.toBe(before.metadata.resourceVersion)
  const V2 = kind<Widget>({ group: 'demo.io', version: 'v2', kind: 'Widget', resource: 'widgets', namespaced: true })
  expect((await client.for(V2).get('default/a')).spec?.owner).toBe('ann')
})

it('leaves what it cannot open, says so, and goes on with the rest', async () => {
  const store = new MemoryStore()
  const first = await start(store, { lost: 5 })
  await first.client.for(Widget).create(widget('a'))
  await first.host.stop()
  const plain = await start(store, undefined)
  await plain.client.for(Widget).create(widget('b'))
  await plain.host.stop()
  const before = (await store.get(at('a'))).entry?.modRevision
  const second = await start(store, { fresh: 9 })
  await second.clock.advance(1_000)
  expect((await store.get(at('a'))).entry?.modRevision).toBe(before)
  expect(await keyAt(store, at('b'))).toBe('fresh')
  expect(second.messages()).toContain(`a stored object cannot be written anew ${at('a')}`)
  expect(await second.host.use(MetricsCap).expose()).toContain('continuo_storage_encrypted_objects{key="lost"} 1')
})
