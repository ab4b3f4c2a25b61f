import { expect, it } from 'vitest'
import { CustomResourceDefinition, definePlugin, type KubeObject, kind, type ObjectClient, type Schema } from '../../../src/index.ts'
import { startCluster } from '../../client/cluster.ts'

interface Gadget extends KubeObject {
  spec?: { size?: number; color?: string; shape?: string }
}
const Gadget = kind<Gadget>({ group: 'toys.example.com', version: 'v1', kind: 'Gadget', resource: 'gadgets', namespaced: true })
const name = 'gadgets.toys.example.com'

const definition = (spec: Readonly<Record<string, Schema>>, plural = 'gadgets'): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.toys.example.com` },
  spec: {
    group: 'toys.example.com',
    scope: 'Namespaced',
    names: { plural, kind: plural === 'gadgets' ? 'Gadget' : 'Gizmo' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: spec } } } },
      },
    ],
  },
})

const gadget = (called: string, spec: Gadget['spec'] = {}): Gadget => ({
  apiVersion: 'toys.example.com/v1',
  kind: 'Gadget',
  metadata: { name: called, namespace: 'default' },
  spec,
})

const change = async (client: ObjectClient, by: (crd: CustomResourceDefinition) => void): Promise<void> => {
  const crd = structuredClone(await client.for(CustomResourceDefinition).get(name))
  by(crd)
  await client.for(CustomResourceDefinition).update(crd)
}

const fieldsOf = (crd: CustomResourceDefinition): Record<string, Schema> =>
  crd.spec.versions[0]?.schema?.openAPIV3Schema?.properties?.spec?.properties as Record<string, Schema>

it('hides what a narrower schema no longer knows, from readers who saw it before and from strict writers', async () => {
  const { client, service } = await startCluster()
  await client.for(CustomResourceDefinition).create(definition({ size: { type: 'integer' }, color: { type: 'string' } }))
  await expect.poll(() => service.registry.resolve(Gadget)).toBeDefined()
  const gadgets = client.for(Gadget)
  await gadgets.create(gadget('a', { size: 1, color: 'red' }))
  const system = { user: { username: 'test' }, trusted: true }
  const ref = { ...Gadget, namespace: 'default', name: 'a' }
  const encoded = async () => String(Buffer.from((await service.get(ref, {}, system)).encoded('form', (view) => view.json)))
  expect(await encoded()).toContain('red')
  expect((await gadgets.get('default/a')).spec).toEqual({ size: 1, color: 'red' })
  await change(client, (crd) => {
    delete fieldsOf(crd).color
  })
  await expect.poll(async () => (await gadgets.get('default/a')).spec).toEqual({ size: 1 })
  expect(await encoded()).not.toContain('red')
  expect((await gadgets.list()).items[0]?.spec).toEqual({ size: 1 })
  const labelled = await gadgets.patch(
    'default/a',
    { type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
    { fieldValidation: 'Strict' },
  )
  expect(labelled).toMatchObject({ metadata: { labels: { a: 'b' } }, spec: { size: 1 } })
})

it('serves under the names that were accepted while new ones clash, and follows every other change', async () => {
  const { client, registry } = await startCluster()
  await client.for(CustomResourceDefinition).create(definition({ size: { type: 'integer' } }))
  const other = definition({}, 'gizmos')
  other.spec.names.shortNames = ['gz']
  await client.for(CustomResourceDefinition).create(other)
  await expect.poll(() => registry.resolve({ ...Gadget, resource: 'gizmos' })).toBeDefined()
  await change(client, (crd) => {
    crd.spec.names.shortNames = ['gz']
    fieldsOf(crd).shape = { type: 'string' }
  })
  await expect
    .poll(() => client.for(Gadget).create(gadget('a', { shape: 'round' }), { dryRun: true }))
    .toMatchObject({
      spec: { shape: 'round' },
    })
  expect(registry.get(Gadget)?.shortNames).toBeUndefined()
  await client.for(CustomResourceDefinition).delete('gizmos.toys.example.com')
  await expect.poll(() => registry.get(Gadget)?.shortNames, { timeout: 5_000 }).toEqual(['gz'])
})

it('leaves nothing behind of a kind that went while objects of it were being created', async () => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow = definePlugin({
    name: 'slow',
    api: '^1',
    setup: (ctx) => ctx.admission({ mutate: (request) => (request.name === 'late' ? held : undefined) }),
  })
  const { client, registry, store } = await startCluster({ plugins: [slow] })
  await client.for(CustomResourceDefinition).create(definition({ size: { type: 'integer' } }))
  await expect.poll(() => registry.resolve(Gadget)).toBeDefined()
  await client
    .for(Gadget)
    .create({ ...gadget('early'), metadata: { name: 'early', namespace: 'default', finalizers: ['example.com/held'] } })
  const late = client
    .for(Gadget)
    .create(gadget('late'))
    .catch((error: unknown) => error)
  await client.for(CustomResourceDefinition).delete(name)
  await expect.poll(() => registry.get(Gadget)?.verbs).toBeDefined()
  await expect(client.for(Gadget).apply(gadget('applied'), { fieldManager: 'test' })).rejects.toMatchObject({ reason: 'MethodNotAllowed' })
  await client.for(Gadget).patch('default/early', { type: 'merge', body: { metadata: { finalizers: null } } })
  await expect.poll(() => registry.resolve(Gadget), { timeout: 5_000 }).toBeUndefined()
  release()
  expect(await late).toMatchObject({ status: 404 })
  expect((await store.list('/registry/toys.example.com/')).entries).toEqual([])
})

it.each([{}, { spec: 1 }, { spec: { versions: {} } }, { spec: { versions: [null], names: [] } }])(
  'refuses a definition of the wrong shape with 4xx: %j',
  async (body) => {
    const { client } = await startCluster()
    const bad = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'x.y.z' }, ...body }
    await expect(client.for(CustomResourceDefinition).create(bad as unknown as CustomResourceDefinition)).rejects.toMatchObject({
      status: expect.toSatisfy((status: number) => status === 400 || status === 422),
    })
  },
)
