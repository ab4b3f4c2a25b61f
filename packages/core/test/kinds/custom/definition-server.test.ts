import { expect, it } from 'vitest'
import {
  CustomResourceDefinition,
  type KubeObject,
  kind,
  type ObjectClient,
  type Registry,
  type UnstructuredObject,
} from '../../../src/index.ts'
import { startCluster } from '../../client/cluster.ts'

interface Gadget extends KubeObject {
  spec?: { size?: number; color?: string; extra?: unknown }
  status?: { ready?: number }
}
const Gadget = kind<Gadget>({ group: 'toys.example.com', version: 'v1', kind: 'Gadget', resource: 'gadgets', namespaced: true })

const definition = (): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.toys.example.com' },
  spec: {
    group: 'toys.example.com',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['gd'] },
    versions: [
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        deprecated: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
        },
      },
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: { size: { type: 'integer', minimum: 1 }, color: { type: 'string', default: 'red' } },
              },
              status: { type: 'object', properties: { ready: { type: 'integer' } } },
            },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready' } },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        selectableFields: [{ jsonPath: '.spec.color' }],
      },
    ],
  },
})

const gadget = (name: string, spec: Gadget['spec']): Gadget => ({
  apiVersion: 'toys.example.com/v1',
  kind: 'Gadget',
  metadata: { name, namespace: 'default' },
  spec,
})

const settled = async (
  client: ObjectClient,
  predicate: (crd: CustomResourceDefinition | undefined) => boolean,
  name = 'gadgets.toys.example.com',
) => {
  await expect
    .poll(
      async () =>
        predicate(
          await client
            .for(CustomResourceDefinition)
            .get(name)
            .catch(() => undefined),
        ),
      { timeout: 5000 },
    )
    .toBe(true)
}
const established = (crd: CustomResourceDefinition | undefined) =>
  crd?.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') === true
const served = (registry: Registry) => registry.resolve(Gadget) !== undefined

it('serves a kind while its definition exists: prunes, defaults, validates, selects, scales', async () => {
  const { client, registry } = await startCluster()
  const made = await client.for(CustomResourceDefinition).create(definition())
  expect(made.spec.names).toMatchObject({ singular: 'gadget', listKind: 'GadgetList' })
  expect(made.status?.storedVersions).toEqual(['v1'])
  await settled(client, established)
  await expect.poll(() => served(registry)).toBe(true)
  const gadgets = client.for(Gadget)
  await expect(gadgets.create(gadget('bad', { size: 0 }))).rejects.toMatchObject({ reason: 'Invalid', status: 422 })
  await expect(gadgets.create(gadget('bad', { size: 1, extra: 1 }))).rejects.toMatchObject({ reason: 'BadRequest' })
  const first = await gadgets.create(gadget('a', { size: 2, extra: true }), { fieldValidation: 'Ignore' })
  expect(first.spec).toEqual({ size: 2, color: 'red' })
  await gadgets.create(gadget('b', { size: 2, color: 'blue' }))
  expect((await gadgets.list({ fieldSelector: 'spec.color=blue' })).items.map((item) => item.metadata.name)).toEqual(['b'])
  await expect(gadgets.list({ fieldSelector: 'spec.size=2' })).rejects.toMatchObject({ status: 400 })
  const scale = gadgets.subresource('scale')
  const body = await scale.get('default/a')
  expect(body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 0 } })
  await scale.update('default/a', { ...body, spec: { replicas: 5 } })
  expect((await gadgets.get('default/a')).spec?.size).toBe(5)
  await gadgets.updateStatus({ ...(await gadgets.get('default/a')), status: { ready: 3 } })
  expect(await scale.get('default/a')).toMatchObject({ status: { replicas: 3 } })
  expect((await gadgets.get('default/a')).metadata.generation).toBe(2)
  const other = await client.resource({ group: 'toys.example.com', version: 'v1beta1', resource: 'gadgets' })
  expect(await other.get('default/a')).toMatchObject({ apiVersion: 'toys.example.com/v1beta1', spec: { size: 5 } })
})

it('ends with its definition: objects go first, then watches, then the kind is forgotten', async () => {
  const { client, registry } = await startCluster()
  await client.for(CustomResourceDefinition).create(definition())
  await expect.poll(() => served(registry)).toBe(true)
  await client
    .for(Gadget)
    .create({ ...gadget('a', { size: 1 }), metadata: { name: 'a', namespace: 'default', finalizers: ['toys.example.com/hold'] } })
  const watch = await client.for(Gadget).watch({ signal: new AbortController().signal })
  const seen: string[] = []
  const ended = (async () => {
    for await (const event of watch) seen.push(event.type)
  })()
  await client.for(CustomResourceDefinition).delete('gadgets.toys.example.com')
  await settled(client, (crd) => crd?.status?.conditions?.some((condition) => condition.type === 'Terminating') === true)
  await expect.poll(async () => (await client.for(Gadget).get('default/a')).metadata.deletionTimestamp !== undefined).toBe(true)
  await expect(client.for(Gadget).create(gadget('b', { size: 1 }))).rejects.toMatchObject({ reason: 'MethodNotAllowed' })
  const held = await client.for(Gadget).get('default/a')
  await client.for(Gadget).update({ ...held, metadata: { ...held.metadata, finalizers: [] } })
  await settled(client, (crd) => crd === undefined)
  await expect.poll(() => served(registry)).toBe(false)
  await ended
  expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
  await expect(client.for(Gadget).list()).rejects.toMatchObject({ reason: 'NotFound' })
})

it('applies a changed schema at once, to what is stored already, too', async () => {
  const { client, registry } = await startCluster()
  const crd = await client.for(CustomResourceDefinition).create(definition())
  await expect.poll(() => served(registry)).toBe(true)
  await client.for(Gadget).create(gadget('a', { size: 1 }))
  const next = structuredClone(await client.for(CustomResourceDefinition).get(crd.metadata.name)) as CustomResourceDefinition
  const schema = next.spec.versions[1]?.schema?.openAPIV3Schema as { properties: { spec: { properties: Record<string, unknown> } } }
  schema.properties.spec.properties.shape = { type: 'string', default: 'round' }
  await client.for(CustomResourceDefinition).update(next)
  await expect.poll(async () => ((await client.for(Gadget).get('default/a')).spec as Record<string, unknown>).shape).toBe('round')
})

it('does not accept names that another kind has', async () => {
  const { client, registry } = await startCluster()
  await client.for(CustomResourceDefinition).create(definition())
  await expect.poll(() => served(registry)).toBe(true)
  const other = definition()
  other.metadata.name = 'gizmos.toys.example.com'
  other.spec.names = { plural: 'gizmos', singular: 'gizmo', kind: 'Gadget' }
  await client.for(CustomResourceDefinition).create(other)
  await settled(
    client,
    (crd) => crd?.status?.conditions?.some((condition) => condition.reason === 'KindConflict' && condition.status === 'False') === true,
    'gizmos.toys.example.com',
  )
  expect(registry.resolve({ ...Gadget, resource: 'gizmos' })).toBeUndefined()
})

it('refuses definitions that are not structural, misnamed, without one storage version, or convert by webhook', async () => {
  const { client } = await startCluster()
  const refused = async (change: (crd: CustomResourceDefinition & UnstructuredObject) => void) => {
    const crd = definition() as CustomResourceDefinition & UnstructuredObject
    change(crd)
    const error = await client
      .for(CustomResourceDefinition)
      .create(crd)
      .catch((thrown) => thrown)
    return (error.details?.causes ?? []).map((cause: { field: string }) => cause.field)
  }
  expect(await refused((crd) => (crd.metadata.name = 'other.toys.example.com'))).toContain('metadata.name')
  expect(await refused((crd) => (crd.spec.versions[1] = { ...crd.spec.versions[1]!, storage: false }))).toContain('spec.versions')
  expect(await refused((crd) => (crd.spec.conversion = { strategy: 'Webhook' }))).toContain('spec.conversion.strategy')
  expect(await refused((crd) => (crd.spec.versions[0]!.schema = {}))).toContain('spec.versions[0].schema.openAPIV3Schema')
  expect(
    await refused((crd) => (crd.spec.versions[0]!.schema = { openAPIV3Schema: { type: 'object', properties: { a: {} } } })),
  ).not.toEqual([])
  expect(
    await refused((crd) => (crd.spec.versions[0]!.additionalPrinterColumns = [{ name: 'a', type: 'string', jsonPath: '.a[' }])),
  ).toContain('spec.versions[0].additionalPrinterColumns[0].jsonPath')
})
