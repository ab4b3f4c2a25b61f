import { expect, it } from 'vitest'
import { readDiscovery } from '../../src/client/discovery.ts'
import { refusal, status } from '../objects.ts'
import { http2Server } from '../servers.ts'

const resource = (name: string, kind: string, verbs: readonly string[], scope = 'Namespaced') => ({
  resource: name,
  responseKind: { group: '', version: 'v1', kind },
  scope,
  verbs,
})
const group = (name: string, version: string, resources: readonly object[]) => ({ metadata: { name }, versions: [{ version, resources }] })
const document = (...items: readonly object[]) => ({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items })

const core = document({
  metadata: {},
  versions: [
    {
      version: 'v1',
      resources: [
        { ...resource('pods', 'Pod', ['get', 'list']), shortNames: ['po'] },
        resource('nodes', 'Node', ['list'], 'Cluster'),
        resource('bindings', 'Binding', ['create']),
      ],
    },
  ],
})

/** A server whose groups a test changes, with tags. */
async function serving() {
  const state = { tag: 'one', groups: document(group('demo.io', 'v1', [resource('widgets', 'Widget', ['get'])])) }
  const server = await http2Server(({ stream, seen, json }) => {
    if (seen.path === '/api') return json(core, 200, { etag: 'core' })
    if (seen.path !== '/apis')
      return json(status(404, 'NotFound', 'the server could not find the requested resource', { details: {} }), 404)
    if (seen.headers['if-none-match'] !== state.tag) return json(state.groups, 200, { etag: state.tag })
    stream.respond({ ':status': 304, etag: state.tag })
    stream.end()
  })
  return { state, server, client: await server.connect() }
}

const widgets = { group: 'demo.io', version: 'v1', resource: 'widgets' }
const gadgets = { ...widgets, resource: 'gadgets' }

it('lists what has objects, in all groups', async () => {
  const { client } = await serving()
  expect(await client.resources()).toEqual([
    { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true, shortNames: ['po'] },
    { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false, shortNames: [] },
    { group: 'demo.io', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true, shortNames: [] },
  ])
})

it('asks for the aggregated form, and by tag when it has it', async () => {
  const { client, server, state } = await serving()
  await client.resources()
  expect(server.seen[0]?.headers.accept).toContain('g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  expect((await client.resources()).length).toBe(3)
  expect(server.seen.at(-1)?.headers['if-none-match']).toBeDefined()
  state.tag = 'two'
  state.groups = document()
  expect((await client.resources()).length).toBe(2)
})

it('finds a resource from memory, and one that is new by asking', async () => {
  const { client, server, state } = await serving()
  expect((await client.resource(widgets)).kind.kind).toBe('Widget')
  const asked = server.seen.length
  await client.resource(widgets)
  expect(server.seen.length).toBe(asked)
  expect(await refusal(client.resource(gadgets))).toMatchObject({
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  })
  state.tag = 'two'
  state.groups = document(group('demo.io', 'v1', [resource('gadgets', 'Gadget', ['get'], 'Cluster')]))
  expect((await client.resource(gadgets)).kind).toMatchObject({ kind: 'Gadget', namespaced: false })
})

it('forgets what it knows when a resource is gone', async () => {
  const { client, state } = await serving()
  const client1 = await client.resource(widgets)
  state.tag = 'two'
  state.groups = document()
  expect(await refusal(client1.list())).toMatchObject({ reason: 'NotFound' })
  expect(await refusal(client.resource(widgets))).toMatchObject({ reason: 'NotFound' })
})

it('shares one question between all who look for something at once', async () => {
  const { client, server } = await serving()
  await Promise.all(Array.from({ length: 20 }, () => client.resource(widgets)))
  expect(server.seen.length).toBe(2)
})

it('says so when a server has only the old form', async () => {
  const server = await http2Server(({ json }) => json({ kind: 'APIGroupList', groups: [] }))
  expect(await refusal((await server.connect()).resources())).toMatchObject({
    reason: 'NotAcceptable',
    message: 'the server does not offer aggregated discovery',
  })
})

it('leaves out what it cannot make sense of', () => {
  const odd = document(
    group('a', 'v1', [{ resource: 'x' }, { resource: 1, responseKind: {} }, null as never, resource('fine', 'Fine', [7 as never, 'get'])]),
    { versions: 'no' },
    3 as never,
  )
  expect(readDiscovery(odd).map(({ kind, verbs }) => [kind.resource, verbs])).toEqual([['fine', ['get']]])
})
