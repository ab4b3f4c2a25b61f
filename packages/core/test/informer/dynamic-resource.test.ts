import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  createHost,
  createMemoryStore,
  definePlugin,
  defineResource,
  type Informer,
  ObjectClientCap,
  RegistryCap,
  StoreCap,
  type UnstructuredObject,
} from '../../src/index.ts'

const gvr = { group: 'demo.io', version: 'v1', resource: 'gadgets' }
const gadgets = defineResource({
  group: 'demo.io',
  plural: 'gadgets',
  kind: 'Gadget',
  namespaced: true,
  storageVersion: 'v1',
  versions: [{ name: 'v1', schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }],
})

it('follows a resource through the live registry of its host: absent, served, gone, back', async () => {
  const clock = createVirtualClock()
  let informer: Informer<UnstructuredObject> | undefined
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    clock,
    random: createSeededRandom(),
    plugins: [
      {
        slot: 'store',
        plugin: definePlugin({
          name: 'memory',
          api: '^1',
          provides: [StoreCap],
          setup: (ctx) => ctx.provide(StoreCap, createMemoryStore()),
        }),
      },
      {
        slot: 'follower',
        plugin: definePlugin({
          name: 'follower',
          api: '^1',
          setup(ctx) {
            informer = ctx.dynamic(gvr)
          },
        }),
      },
    ],
  })
  await host.start()
  const names = () => informer?.lister.list().map((object) => object.metadata.name)
  expect(names()).toEqual([])

  const added = host.use(RegistryCap).add(gadgets, 'test')
  const client = await host.use(ObjectClientCap).resource(gvr)
  await client.create({ apiVersion: 'demo.io/v1', kind: 'Gadget', metadata: { name: 'a', namespace: 'default' } })
  await clock.advanceUntil(() => names()?.length === 1, 5_000)
  expect(informer?.kind.kind).toBe('Gadget')

  added[Symbol.dispose]()
  await clock.advanceUntil(() => names()?.length === 0, 5_000)

  host.use(RegistryCap).add(gadgets, 'test')
  await clock.advanceUntil(() => names()?.length === 1, 5_000)
  await host.stop()
})
