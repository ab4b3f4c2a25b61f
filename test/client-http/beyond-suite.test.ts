import { type AddressInfo, createServer } from 'node:net'
import {
  type ApiError,
  CustomResourceDefinition,
  createHost,
  definePlugin,
  type Informer,
  isApiError,
  Lease,
  Namespace,
  type ObjectClient,
  type PluginContext,
  type SlotSpec,
  type UserInfo,
} from '@continuo/core'
import { apiHttp } from '@continuo/plugin-api-http'
import { clientHttp } from '@continuo/plugin-client-http'
import { Gauge, gaugeResource } from '@continuo/testkit'
import { AuthorizerCap, ConfigMap, Pod } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { localClient, type RunningApi, startApi } from './running-api.ts'

const gauge = (name: string, spec: Gauge['spec'] = {}, namespace = 'default'): Gauge => ({
  apiVersion: 'suite.continuo.dev/v1',
  kind: 'Gauge',
  metadata: { name, namespace },
  spec,
})

const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})

describe('one API, seen by both clients', () => {
  let api: RunningApi
  let local: ObjectClient
  let remote: ObjectClient
  const asked: UserInfo[] = []

  /** Lets `reader` read and nobody else but administrators do anything. */
  const rules: SlotSpec = {
    slot: 'rules',
    plugin: definePlugin({
      name: 'rules',
      api: '^1',
      provides: [AuthorizerCap],
      setup: (ctx) =>
        ctx.provide(
          AuthorizerCap,
          {
            authorize: ({ user, verb }) => {
              asked.push(user)
              return {
                decision: user.username === 'reader' && ['get', 'list', 'watch'].includes(verb) ? 'allow' : 'deny',
                reason: 'by the rules',
              }
            },
          },
          'test',
        ),
    }),
  }

  beforeAll(async () => {
    api = await startApi({ kinds: [gaugeResource], plugins: [rules] })
    local = localClient(api)
    remote = await api.connect()
  })
  afterAll(() => api[Symbol.asyncDispose]())

  it('refuses with the same words', async () => {
    await local.for(Gauge).create(gauge('words'))
    const stop = new AbortController()
    const calls: readonly ((client: ObjectClient) => Promise<unknown>)[] = [
      (client) => client.for(Gauge).get('default/none'),
      (client) => client.for(Gauge).get('none'),
      (client) => client.for(Gauge).create(gauge('words')),
      (client) => client.for(Gauge).create(gauge('Bad_Name', { size: -1 })),
      (client) => client.for(Gauge).create({ ...gauge('odd'), extra: 1 } as never),
      (client) => client.for(Gauge).create({ ...gauge('a'), metadata: { name: 'a' } }),
      (client) => client.for(Gauge).update({ ...gauge('words'), metadata: { name: 'words', namespace: 'default', resourceVersion: '1' } }),
      (client) => client.for(Gauge).patch('default/words', { type: 'json', body: [{ op: 'test', path: '/spec/size', value: 9 }] }),
      (client) => client.for(Gauge).delete('default/words', { preconditions: { uid: 'other' } }),
      (client) => client.for(Gauge).list({ limit: 1, continue: 'nonsense' }),
      (client) => client.for(Gauge).list({ labelSelector: 'a in (' }),
      (client) => client.for(Gauge).watch({ sendInitialEvents: true, signal: stop.signal }),
      (client) => client.for(Gauge).subresource('none').get('default/words'),
      (client) => client.for({ ...Gauge, resource: 'gouges' }).get('default/words'),
      (client) => client.resource({ group: 'none', version: 'v1', resource: 'x' }),
      (client) => client.for(Namespace).delete('default'),
      (client) =>
        client
          .for(Pod)
          .create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } } as never),
    ]
    const told = async (client: ObjectClient, call: (client: ObjectClient) => Promise<unknown>) => {
      const error = await call(client).catch((thrown: unknown) => thrown)
      if (!isApiError(error)) throw new TypeError('an ApiError was expected', { cause: error })
      return (error as ApiError).toStatus()
    }
    for (const call of calls) expect(await told(remote, call)).toEqual(await told(local, call))
  })

  it('lists the same resources', async () => {
    const all = async (client: ObjectClient) =>
      (await client.resources()).map((kind) => JSON.stringify(kind, Object.keys(kind).sort())).sort()
    expect(await all(remote)).toEqual(await all(local))
  })

  it('shows the same objects and lists', async () => {
    for (const name of ['x', 'y', 'z']) await remote.for(Gauge).create(gauge(name, { owner: 'me' }))
    const read = async (client: ObjectClient) => [
      await client.for(Gauge).get('default/x'),
      await client.for(Gauge).list({ fieldSelector: 'spec.owner=me', limit: 2 }),
      await client.for(Gauge).subresource('scale').get('default/x'),
    ]
    expect(await read(remote)).toEqual(await read(local))
  })

  it('deletes a collection in every namespace, as the local client does', async () => {
    for (const client of [local, remote]) {
      for (const namespace of ['left', 'right']) {
        await local
          .for(Namespace)
          .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${namespace}-${client === local ? 'a' : 'b'}` } })
        await local.for(Gauge).create(gauge('one', { owner: 'all' }, `${namespace}-${client === local ? 'a' : 'b'}`))
      }
      expect(await client.for(Gauge).deleteCollection({ fieldSelector: 'spec.owner=all' })).toBe(2)
      expect((await local.for(Gauge).list({ fieldSelector: 'spec.owner=all' })).items).toEqual([])
    }
  })

  it('acts for others with their rights', async () => {
    const reader = remote.as({
      username: 'reader',
      uid: '42',
      groups: ['readers', 'cn=x,ou=y'],
      extra: { 'Example.org/Scope': ['a', 'b'] },
    })
    expect((await reader.for(Gauge).list()).items.length).toBeGreaterThan(0)
    expect(asked.at(-1)).toEqual({
      username: 'reader',
      uid: '42',
      groups: ['readers', 'cn=x,ou=y', 'system:authenticated'],
      extra: { 'Example.org/Scope': ['a', 'b'] },
    })
    const error = await reader
      .for(Gauge)
      .create(gauge('mine'))
      .catch((thrown) => thrown)
    expect(error).toMatchObject({
      reason: 'Forbidden',
      message:
        'gauges.suite.continuo.dev is forbidden: User "reader" cannot create resource "gauges" in API group "suite.continuo.dev" in the namespace "default": by the rules',
    })
  })

  it('has no rights without credentials', async () => {
    const nobody = await api.connect({ cert: undefined, key: undefined })
    await expect(nobody.for(Gauge).list()).rejects.toMatchObject({ reason: 'Forbidden' })
    const liar = await api.connect({ cert: undefined, key: undefined, token: 'wrong' })
    await expect(liar.for(Gauge).list()).rejects.toMatchObject({ reason: 'Unauthorized' })
  })

  it('hears the warnings of the API', async () => {
    const warnings: string[] = []
    const client = await api.connect({ onWarning: (text) => void warnings.push(text) })
    await client.for(Gauge).create({ ...gauge('warned'), extra: 1 } as never, { fieldValidation: 'Warn' })
    expect(warnings).toEqual(['unknown field "extra"'])
  })

  it('finds kinds that come and go', async () => {
    const gvr = { group: 'late.example', version: 'v1', resource: 'guests' }
    await expect(remote.resource(gvr)).rejects.toMatchObject({ reason: 'NotFound' })
    await remote.for(CustomResourceDefinition).create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'guests.late.example' },
      spec: {
        group: 'late.example',
        scope: 'Namespaced',
        names: { plural: 'guests', singular: 'guest', kind: 'Guest', listKind: 'GuestList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    } as never)
    const guests = await eventually(() => remote.resource(gvr))
    expect((await remote.resources()).some((kind) => kind.resource === 'guests')).toBe(true)
    await guests.create({ apiVersion: 'late.example/v1', kind: 'Guest', metadata: { name: 'g', namespace: 'default' } })
    await remote.for(CustomResourceDefinition).delete('guests.late.example')
    await eventually(async () => {
      expect(await guests.list().catch((error) => error)).toMatchObject({ reason: 'NotFound' })
      expect(await remote.resource(gvr).catch((error) => error)).toMatchObject({ reason: 'NotFound' })
    })
  })

  it('is not held up by a watch that nobody reads', async () => {
    const stop = new AbortController()
    const idle = (await remote.for(ConfigMap).watch({ namespace: 'default', signal: stop.signal }))[Symbol.asyncIterator]()
    const text = 'x'.repeat(200_000)
    await remote.for(ConfigMap).create(configMap('big', { text }))
    for (let at = 1; at <= 30; at++) await remote.for(ConfigMap).patch('default/big', { type: 'merge', body: { data: { at: String(at) } } })
    const seen: (string | undefined)[] = []
    while (seen.length < 31) {
      const { value } = await idle.next()
      if (value.type !== 'BOOKMARK' && value.object.metadata.name === 'big') seen.push(value.object.data?.at)
    }
    expect(seen).toEqual([undefined, ...Array.from({ length: 30 }, (_, at) => String(at + 1))])
    stop.abort()
  })
})

/** A host away from the API, with one plugin. */
function remoteHost(api: RunningApi, role: 'node' | 'control-plane', setup: (ctx: PluginContext) => void) {
  return createHost({
    name: `away-${role}`,
    role,
    plugins: [
      { slot: 'client', plugin: clientHttp, config: { ...api.access } },
      { slot: 'user', plugin: definePlugin({ name: 'user', api: '^1', roles: ['node', 'control-plane'], setup }) },
    ],
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

it('informers go on when the API comes back, and miss nothing', async () => {
  await using api = await startApi({ kinds: [gaugeResource], listen: `127.0.0.1:${await freePort()}` })
  const gauges = localClient(api).for(Gauge)
  await gauges.create(gauge('before'))
  let informer: Informer<Gauge> | undefined
  let replaced = 0
  const host = remoteHost(api, 'node', (ctx) => {
    informer = ctx.informer(Gauge)
    informer.on({
      deleted() {
        replaced += 1
      },
    })
  })
  await host.start()
  const seen = () => informer?.lister.list().map((one) => one.metadata.name)
  expect(seen()).toEqual(['before'])
  const restart = api.host.swap('api', apiHttp, { tls: true })
  const made: string[] = []
  for (let at = 0; at < 20; at++) {
    made.push(`during-${at}`)
    await gauges.create(gauge(`during-${at}`))
  }
  await restart
  await gauges.create(gauge('after'))
  await eventually(() => expect(seen()?.sort()).toEqual(['after', 'before', ...made].sort()))
  expect(replaced).toBe(0)
  await host.stop()
})

it('leads over HTTP, and writes nothing more when another one has taken over', async () => {
  await using api = await startApi({ kinds: [gaugeResource] })
  const terms: ObjectClient[] = []
  const host = remoteHost(api, 'control-plane', (ctx) => {
    ctx.whileLeading('task', async ({ client, signal }) => {
      terms.push(client)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    })
  })
  await host.start()
  await eventually(() => expect(terms).toHaveLength(1))
  const leader = terms[0] as ObjectClient
  const made = await leader.for(Gauge).create(gauge('led'))
  expect(made.metadata.managedFields?.[0]?.manager).toBe('user')
  const local = localClient(api)
  const leases = (await local.for(Lease).list()).items
  for (const lease of leases) {
    await local.for(Lease).delete({ namespace: lease.metadata.namespace ?? '', name: lease.metadata.name })
    await local.for(Lease).create({ ...lease, metadata: { name: lease.metadata.name, namespace: lease.metadata.namespace } })
  }
  await expect(leader.for(Gauge).create(gauge('late'))).rejects.toMatchObject({ reason: 'Conflict', status: 409 })
  expect((await local.for(Gauge).list()).items.map((one) => one.metadata.name)).toEqual(['led'])
  await host.stop()
})
