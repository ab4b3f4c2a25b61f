import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, openApi, type WireEvent } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'
import { eventually } from '../support/eventually.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const boats = '/apis/sea.example/v1/namespaces/default/boats'
const configMaps = '/api/v1/namespaces/default/configmaps'

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boats.sea.example' },
  spec: {
    group: 'sea.example',
    scope: 'Namespaced',
    names: { plural: 'boats', singular: 'boat', kind: 'Boat', shortNames: ['bt'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { length: { type: 'integer', minimum: 1 }, flag: { type: 'string', default: 'none' } } },
            },
          },
        },
      },
    ],
  },
}

const boat = (name: string, owner?: { kind: string; apiVersion: string; name: string; uid: string }) => ({
  apiVersion: 'sea.example/v1',
  kind: 'Boat',
  metadata: { name, ...(owner === undefined ? {} : { ownerReferences: [owner] }) },
  spec: { length: 12 },
})

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api

beforeAll(async () => {
  data = await dataDirectory('custom')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
})
afterAll(async () => {
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

const groups = async (): Promise<readonly string[]> =>
  (await api.ok('GET', '/apis')).body.groups.map((group: { name: string }) => group.name)

async function define(): Promise<void> {
  await api.ok('POST', definitions, { body: definition })
  await eventually(async () => {
    const { status } = (await api.ok('GET', `${definitions}/boats.sea.example`)).body
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }))
  })
  await eventually(async () => expect((await api.send('GET', boats)).status).toBe(200), 2_000)
}

it('serves, lists, watches and collects a kind that comes at run time, keeps it over a crash, and forgets it when it goes', async () => {
  expect((await api.send('GET', boats)).body).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404 })
  expect(await groups()).not.toContain('sea.example')

  // Served: discovery in both forms, OpenAPI, defaults, validation.
  await define()
  expect(await groups()).toContain('sea.example')
  const discovered = (await api.ok('GET', '/apis/sea.example/v1')).body.resources
  expect(discovered).toContainEqual(expect.objectContaining({ name: 'boats', kind: 'Boat', shortNames: ['bt'], namespaced: true }))
  expect(discovered).toContainEqual(expect.objectContaining({ name: 'boats/status' }))
  expect(Object.keys((await api.ok('GET', '/openapi/v3')).body.paths)).toContain('apis/sea.example/v1')
  const invalid = await api.send('POST', boats, { body: { ...boat('raft'), spec: { length: 0 } } })
  expect(invalid.body).toMatchObject({ reason: 'Invalid', code: 422, details: { causes: [{ field: 'spec.length' }] } })

  // Watched, from before the first object.
  const { metadata } = (await api.ok('GET', boats)).body
  const seen: WireEvent[] = []
  const watch = await api.watch(`${boats}?watch=true&resourceVersion=${metadata.resourceVersion}`)
  const watching = (async () => {
    for await (const event of watch) seen.push(event)
  })()
  const created = (await api.ok('POST', boats, { body: boat('anna') })).body
  expect(created).toMatchObject({ spec: { length: 12, flag: 'none' }, metadata: { generation: 1 } })
  await eventually(() => expect(seen.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED anna']))

  // Collected: a built-in kind owned by it, one of it owned by a built-in kind, and one in the foreground.
  const owner = (object: { apiVersion: string; kind: string; metadata: { name: string; uid: string } }) => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    uid: object.metadata.uid,
  })
  await api.ok('POST', configMaps, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'log-of-anna', ownerReferences: [owner(created)] } },
  })
  const chart = (await api.ok('POST', configMaps, { body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'chart' } } })).body
  await api.ok('POST', boats, { body: boat('bertha', owner(chart)) })
  await api.ok('DELETE', `${boats}/anna`)
  await api.ok('DELETE', `${configMaps}/chart`, { body: { propagationPolicy: 'Foreground' } })
  await eventually(async () => {
    expect((await api.send('GET', `${configMaps}/log-of-anna`)).status).toBe(404)
    expect((await api.send('GET', `${boats}/bertha`)).status).toBe(404)
    expect((await api.send('GET', `${configMaps}/chart`)).status).toBe(404)
  })

  // Kept over a crash.
  await api.ok('POST', boats, { body: boat('clara') })
  await cluster.kill()
  await watching
  api[Symbol.dispose]()
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
  expect((await eventually(() => api.ok('GET', `${boats}/clara`))).body.spec).toEqual({ length: 12, flag: 'none' })

  // Forgotten: its objects go, its watches end, nothing names it any more.
  const later: WireEvent[] = []
  const list = (await api.ok('GET', boats)).body
  const last = await api.watch(`${boats}?watch=true&resourceVersion=${list.metadata.resourceVersion}`, AbortSignal.timeout(20_000))
  const ended = (async () => {
    for await (const event of last) later.push(event)
    return 'ended'
  })()
  await api.ok('DELETE', `${definitions}/boats.sea.example`)
  expect(await ended).toBe('ended')
  expect(later.map(({ type, object }) => `${type} ${object.metadata?.name}`)).toContain('DELETED clara')
  await eventually(async () => {
    expect((await api.send('GET', `${definitions}/boats.sea.example`)).status).toBe(404)
    expect((await api.send('GET', boats)).status).toBe(404)
    expect(await groups()).not.toContain('sea.example')
    expect(Object.keys((await api.ok('GET', '/openapi/v3')).body.paths)).not.toContain('apis/sea.example/v1')
  })
  expect((await api.send('POST', boats, { body: boat('dora') })).status).toBe(404)
  expect((await api.send('GET', '/apis/sea.example/v1')).status).toBe(404)

  // Defined again, it begins empty.
  await define()
  expect((await api.ok('GET', boats)).body.items).toEqual([])
  await api.ok('POST', boats, { body: boat('anna') })
  expect(cluster.output()).not.toMatch(/"level":50/)
})

it('an object with a finalizer holds up the deletion of its kind until it is let go', async () => {
  await api.ok('PATCH', `${boats}/anna`, {
    body: { metadata: { finalizers: ['sea.example/anchor'] } },
    contentType: 'application/merge-patch+json',
  })
  await api.ok('DELETE', `${definitions}/boats.sea.example`)
  await eventually(async () => {
    const { metadata, status } = (await api.ok('GET', `${definitions}/boats.sea.example`)).body
    expect(metadata.deletionTimestamp).toBeDefined()
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Terminating', status: 'True' }))
    expect((await api.ok('GET', `${boats}/anna`)).body.metadata.deletionTimestamp).toBeDefined()
  })
  expect((await api.send('POST', boats, { body: boat('late') })).status).toBeGreaterThanOrEqual(400)
  await api.ok('PATCH', `${boats}/anna`, { body: { metadata: { finalizers: null } }, contentType: 'application/merge-patch+json' })
  await eventually(async () => expect((await api.send('GET', `${definitions}/boats.sea.example`)).status).toBe(404))
  await eventually(async () => expect((await api.send('GET', boats)).status).toBe(404))
})
