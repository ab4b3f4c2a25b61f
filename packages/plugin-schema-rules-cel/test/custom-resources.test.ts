import {
  type AnyPlugin,
  ApiError,
  CustomResourceDefinition,
  createHost,
  memoryStore,
  type ObjectClient,
  ObjectClientCap,
  type Schema,
  systemClock,
  type UnstructuredObject,
} from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { schemaRulesCel } from '../src/index.ts'

const gadgets = { group: 'demo.example.io', version: 'v1', resource: 'gadgets' }

const definition = (spec: Schema): CustomResourceDefinition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.demo.example.io' },
  spec: {
    group: gadgets.group,
    names: { plural: 'gadgets', kind: 'Gadget' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec,
              status: { type: 'object', properties: { n: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self < 3' }] } } },
            },
          },
        },
        subresources: { status: {} },
      },
    ],
  },
})

const gadget = (spec: unknown, more: object = {}): UnstructuredObject =>
  ({ apiVersion: 'demo.example.io/v1', kind: 'Gadget', metadata: { name: 'g', namespace: 'default' }, spec, ...more }) as UnstructuredObject

async function start(plugins: Record<string, AnyPlugin> = { rules: schemaRulesCel as AnyPlugin }): Promise<ObjectClient> {
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: [{ slot: 'store', plugin: memoryStore as AnyPlugin }, ...Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin }))],
  })
  await host.start()
  onTestFinished(() => host.stop())
  return host.use(ObjectClientCap)
}

async function served(client: ObjectClient) {
  const until = systemClock.monotonic() + 5_000
  for (;;) {
    try {
      return await client.resource(gadgets)
    } catch (error) {
      if (systemClock.monotonic() > until) throw error
      await systemClock.sleep(5)
    }
  }
}

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`)
  return error
}

const spec: Schema = {
  type: 'object',
  properties: { replicas: { type: 'integer' }, className: { type: 'string', maxLength: 20 } },
  'x-kubernetes-validations': [
    { rule: 'self.replicas <= 5', message: 'at most five', fieldPath: '.replicas' },
    { rule: 'self.className == oldSelf.className', message: 'className is immutable', reason: 'FieldValueForbidden' },
  ],
}

it('are enforced on create, update, patch, apply and status, in the words of Kubernetes', async () => {
  const client = await start()
  await client.for(CustomResourceDefinition).create(definition(spec))
  const objects = await served(client)
  const created = await refusal(objects.create(gadget({ replicas: 6, className: 'a' })))
  expect(created.status).toBe(422)
  expect(created.message).toBe('Gadget.demo.example.io "g" is invalid: spec.replicas: Invalid value: "object": at most five')
  const stored = await objects.create(gadget({ replicas: 1, className: 'a' }))
  const patched = await refusal(objects.patch({ namespace: 'default', name: 'g' }, { type: 'merge', body: { spec: { className: 'b' } } }))
  expect(patched.message).toBe('Gadget.demo.example.io "g" is invalid: spec: Forbidden: className is immutable')
  await objects.update({ ...stored, spec: { replicas: 5, className: 'a' } } as UnstructuredObject)
  const status = await refusal(
    objects.updateStatus({ ...stored, metadata: { name: 'g', namespace: 'default' }, status: { n: 4 } } as UnstructuredObject),
  )
  expect(status.details?.causes).toEqual([
    { reason: 'FieldValueInvalid', field: 'status.n', message: 'Invalid value: "integer": failed rule: self < 3' },
  ])
})

it('of an object that its schema refuses are said not to be checked', async () => {
  const client = await start()
  await client.for(CustomResourceDefinition).create(definition(spec))
  const objects = await served(client)
  const error = await refusal(objects.create(gadget({ replicas: 'x' })))
  expect(error.message).toContain('<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid')
})

it('may become stricter without locking what is stored', async () => {
  const client = await start()
  const definitions = client.for(CustomResourceDefinition)
  await definitions.create(definition({ type: 'object', properties: { replicas: { type: 'integer' }, note: { type: 'string' } } }))
  const objects = await served(client)
  await objects.create(gadget({ replicas: 9, note: 'a long note' }))
  const stricter = definition({
    type: 'object',
    properties: {
      replicas: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self < 5' }] },
      note: { type: 'string', maxLength: 4 },
    },
  })
  const current = await definitions.get('gadgets.demo.example.io')
  await definitions.update({ ...current, spec: stricter.spec })
  const until = systemClock.monotonic() + 5_000
  const again = () =>
    refusal(objects.create(gadget({ replicas: 9, note: 'a long note' }, { metadata: { name: 'new', namespace: 'default' } })))
  while ((await again().catch(() => undefined)) === undefined && systemClock.monotonic() < until) await systemClock.sleep(10)
  const stored = await objects.get({ namespace: 'default', name: 'g' })
  await objects.update({ ...stored, metadata: { ...stored.metadata, labels: { touched: 'yes' } } } as UnstructuredObject)
  const error = await refusal(
    objects.update({
      ...stored,
      metadata: { name: 'g', namespace: 'default' },
      spec: { replicas: 8, note: 'another note' },
    } as UnstructuredObject),
  )
  expect(error.message).toContain('spec.note')
})

it('that are wrong refuse their definition; rules that an update leaves alone do not', async () => {
  const client = await start()
  const error = await refusal(
    client.for(CustomResourceDefinition).create(definition({ type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nope' }] })),
  )
  expect(error.status).toBe(422)
  expect(error.details?.causes?.[0]).toMatchObject({
    field: 'spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule',
    message: expect.stringContaining("compilation failed: ERROR: <input>:1:5: undefined field 'nope'"),
  })
})

it('are kept and published where nobody knows their language', async () => {
  const client = await start({})
  await client.for(CustomResourceDefinition).create(definition(spec))
  const objects = await served(client)
  await objects.create(gadget({ replicas: 6, className: 'a' }))
  const kept = await client.for(CustomResourceDefinition).get('gadgets.demo.example.io')
  expect(kept.spec.versions[0]?.schema?.openAPIV3Schema?.properties?.spec?.['x-kubernetes-validations']).toHaveLength(2)
})
