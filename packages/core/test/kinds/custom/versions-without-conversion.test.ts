import { expect, it, onTestFinished } from 'vitest'
import {
  type AnyPlugin,
  CustomResourceDefinition,
  createHost,
  memoryStore,
  ObjectClientCap,
  type Schema,
  systemClock,
  type UnstructuredObject,
} from '../../../src/index.ts'

const version = (name: string, storage: boolean, properties: Readonly<Record<string, Schema>>) => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object' as const, properties: { spec: { type: 'object' as const, properties } } } },
})

it('versions with schemas of their own share objects: each shows what it knows, with its own defaults, and only apiVersion changes', async () => {
  const host = createHost({ name: 'test', role: 'control-plane', plugins: [{ slot: 'store', plugin: memoryStore as AnyPlugin }] })
  await host.start()
  onTestFinished(() => host.stop())
  const client = host.use(ObjectClientCap)
  const definitions = client.for(CustomResourceDefinition)
  await definitions.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'knobs.demo.example.io' },
    spec: {
      group: 'demo.example.io',
      names: { plural: 'knobs', kind: 'Knob' },
      scope: 'Namespaced',
      versions: [
        version('v1', true, { turns: { type: 'integer', default: 1 }, colour: { type: 'string' } }),
        version('v2', false, { turns: { type: 'integer', default: 2 }, size: { type: 'string', default: 'm' } }),
      ],
    },
  })
  const of = async (name: string) => {
    const until = systemClock.monotonic() + 5_000
    for (;;) {
      try {
        return await client.resource({ group: 'demo.example.io', version: name, resource: 'knobs' })
      } catch (error) {
        if (systemClock.monotonic() > until) throw error
        await systemClock.sleep(5)
      }
    }
  }
  const [v1, v2] = [await of('v1'), await of('v2')]
  const knob = (name: string, apiVersion: string, spec: object): UnstructuredObject =>
    ({ apiVersion: `demo.example.io/${apiVersion}`, kind: 'Knob', metadata: { name, namespace: 'default' }, spec }) as UnstructuredObject
  const at = (name: string) => ({ namespace: 'default', name })

  await v1.create(knob('a', 'v1', { colour: 'red' }))
  expect((await v2.get(at('a'))).spec).toEqual({ turns: 1, size: 'm' })
  await v2.create(knob('b', 'v2', {}))
  expect((await v1.get(at('b'))).spec).toEqual({ turns: 2 })

  const current = await definitions.get('knobs.demo.example.io')
  const switched = await definitions.update({
    ...current,
    spec: { ...current.spec, versions: current.spec.versions.map((one) => ({ ...one, storage: one.name === 'v2' })) },
  })
  expect(switched.status?.storedVersions).toEqual(['v1', 'v2'])
  expect((await v1.get(at('a'))).spec).toEqual({ turns: 1, colour: 'red' })
})
