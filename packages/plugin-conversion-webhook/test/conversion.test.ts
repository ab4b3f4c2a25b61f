import {
  type AnyPlugin,
  ApiError,
  CustomResourceDefinition,
  createHost,
  memoryStore,
  ObjectClientCap,
  type Schema,
  systemClock,
  type UnstructuredObject,
} from '@continuo/core'
import { expect, it, onTestFinished } from 'vitest'
import { startWebhook } from '../../lib-webhook/test/webhook-server.ts'
import { conversionWebhook } from '../src/index.ts'

interface Review {
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly UnstructuredObject[] }
}

const reply = ({ request }: Review, change: (object: UnstructuredObject) => object): string =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    response: {
      uid: request.uid,
      result: { status: 'Success' },
      convertedObjects: request.objects.map((object) => ({ ...object, apiVersion: request.desiredAPIVersion, ...change(object) })),
    },
  })

/** v1 has `spec.host` and `spec.port`, v2 has `spec.address`. */
function hostPort(object: UnstructuredObject): object {
  const spec = object.spec as Record<string, unknown>
  if (typeof spec.address !== 'string') return { spec: { address: `${String(spec.host)}:${String(spec.port)}` } }
  const [host, port] = spec.address.split(':')
  return { spec: { host, port: Number(port) } }
}

const definition = (url: string, caBundle: string, storage: 'v1' | 'v2' = 'v1'): CustomResourceDefinition => {
  const version = (name: 'v1' | 'v2', properties: Record<string, Schema>) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object' as const, properties: { spec: { type: 'object' as const, properties } } } },
    subresources: { status: {} },
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'routes.demo.example.io' },
    spec: {
      group: 'demo.example.io',
      names: { plural: 'routes', kind: 'Route' },
      scope: 'Namespaced',
      versions: [
        version('v1', { host: { type: 'string' }, port: { type: 'integer' } }),
        version('v2', { address: { type: 'string' }, extra: { type: 'string', default: 'd' } }),
      ],
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle } } },
    },
  }
}

async function start(answer: (review: Review) => string | { status: number; location: string }) {
  const asked: Review[] = []
  const webhook = await startWebhook((_request, response, body) => {
    const review = JSON.parse(body) as Review
    asked.push(review)
    const text = answer(review)
    if (typeof text === 'string') response.setHeader('content-type', 'application/json').end(text)
    else response.writeHead(text.status, { location: text.location }).end()
  })
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    plugins: [
      { slot: 'store', plugin: memoryStore as AnyPlugin },
      { slot: 'conversion', plugin: conversionWebhook as AnyPlugin },
    ],
  })
  await host.start()
  onTestFinished(() => host.stop())
  const client = host.use(ObjectClientCap)
  await client.for(CustomResourceDefinition).create(definition(webhook.url, webhook.caBundle))
  const of = async (version: string) => {
    const until = systemClock.monotonic() + 5_000
    for (;;) {
      try {
        return await client.resource({ group: 'demo.example.io', version, resource: 'routes' })
      } catch (error) {
        if (systemClock.monotonic() > until) throw error
        await systemClock.sleep(5)
      }
    }
  }
  return { client, asked, webhook, v1: await of('v1'), v2: await of('v2') }
}

const route = (name: string, version: string, spec: object): UnstructuredObject =>
  ({ apiVersion: `demo.example.io/${version}`, kind: 'Route', metadata: { name, namespace: 'default' }, spec }) as UnstructuredObject

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (!(error instanceof ApiError)) throw new Error(`expected an ApiError, got ${String(error)}`)
  return error
}

it('objects are written and read in either version, with the defaults of each', async () => {
  const { v1, v2, client } = await start((review) => reply(review, hostPort))
  await v1.create(route('a', 'v1', { host: 'h', port: 1 }))
  expect((await v2.get({ namespace: 'default', name: 'a' })).spec).toEqual({ address: 'h:1', extra: 'd' })
  await v2.create(route('b', 'v2', { address: 'k:2' }))
  expect((await v1.get({ namespace: 'default', name: 'b' })).spec).toEqual({ host: 'k', port: 2 })
  await v2.patch({ namespace: 'default', name: 'a' }, { type: 'merge', body: { spec: { address: 'm:3' } } })
  expect((await v1.get({ namespace: 'default', name: 'a' })).spec).toEqual({ host: 'm', port: 3 })
  expect((await client.for(CustomResourceDefinition).get('routes.demo.example.io')).status?.storedVersions).toEqual(['v1'])
})

it('a list is converted in one call, and a watch tells converted objects', async () => {
  const { v1, v2, asked } = await start((review) => reply(review, hostPort))
  for (let i = 0; i < 5; i++) await v1.create(route(`r${i}`, 'v1', { host: 'h', port: i }))
  expect(asked).toHaveLength(0)
  const { items } = await v2.list({ namespace: 'default' })
  expect(items.map(({ spec }) => (spec as { address: string }).address)).toEqual(['h:0', 'h:1', 'h:2', 'h:3', 'h:4'])
  expect(asked.map(({ request }) => request.objects.length)).toEqual([5])
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  const events = await v2.watch({ namespace: 'default', signal: ended.signal })
  await v1.create(route('late', 'v1', { host: 'h', port: 9 }))
  for await (const event of events) {
    if (event.type === 'BOOKMARK' || event.object.metadata.name !== 'late') continue
    expect(event.object.spec).toMatchObject({ address: 'h:9' })
    break
  }
})

it('a failure is an error of the read and of the write that says why', async () => {
  let broken: (review: Review) => string | { status: number; location: string } = ({ request }) =>
    JSON.stringify({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      response: { uid: request.uid, result: { status: 'Failure', message: 'no way' } },
    })
  const { v1, v2, webhook } = await start((review) => broken(review))
  await v1.create(route('a', 'v1', { host: 'h', port: 1 }))
  const read = await refusal(v2.get({ namespace: 'default', name: 'a' }))
  expect(read.message).toBe('conversion webhook for demo.example.io/v1, Kind=Route failed: no way')
  expect(read.status).toBe(500)
  expect((await refusal(v2.create(route('b', 'v2', { address: 'k:2' })))).message).toContain(
    'demo.example.io/v2, Kind=Route failed: no way',
  )
  broken = () => ({ status: 302, location: webhook.url })
  expect((await refusal(v2.list({ namespace: 'default' }))).message).toMatch(
    /^conversion webhook for demo.example.io\/v1, Kind=Route failed: /,
  )
  expect((await v1.get({ namespace: 'default', name: 'a' })).spec).toEqual({ host: 'h', port: 1 })
})

it('a new storage version is remembered, and objects of both are read in both', async () => {
  const { client, v1, v2, webhook } = await start((review) => reply(review, hostPort))
  await v1.create(route('old', 'v1', { host: 'h', port: 1 }))
  const definitions = client.for(CustomResourceDefinition)
  const current = await definitions.get('routes.demo.example.io')
  const changed = await definitions.update({ ...current, spec: definition(webhook.url, webhook.caBundle, 'v2').spec })
  expect(changed.status?.storedVersions).toEqual(['v1', 'v2'])
  await v2.create(route('new', 'v2', { address: 'k:2' }))
  for (const name of ['old', 'new']) {
    expect((await v1.get({ namespace: 'default', name })).spec).toHaveProperty('port')
    expect((await v2.get({ namespace: 'default', name })).spec).toHaveProperty('address')
  }
  const withoutV1 = { ...changed, spec: { ...changed.spec, versions: changed.spec.versions.filter(({ name }) => name !== 'v1') } }
  expect((await refusal(definitions.update(withoutV1))).message).toContain(
    'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions',
  )
})

it('a definition whose settings are wrong is refused', async () => {
  const { client } = await start((review) => reply(review, hostPort))
  const wrong = definition('ftp://x', '')
  wrong.metadata.name = 'others.demo.example.io'
  wrong.spec.names = { plural: 'others', kind: 'Other' }
  const error = await refusal(client.for(CustomResourceDefinition).create(wrong))
  expect(error.details?.causes?.[0]?.field).toBe('spec.conversion.webhookClientConfig.url')
})
