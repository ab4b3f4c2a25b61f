import { kind } from '@continuo/core'
import { expect, it } from 'vitest'
import { refusal, Widget, widget } from '../objects.ts'
import { http2Server, type Seen } from '../servers.ts'

const list = {
  apiVersion: 'demo.io/v1',
  kind: 'WidgetList',
  metadata: { resourceVersion: '9', continue: '' },
  items: [{ metadata: { name: 'a' } }],
}

/** A server that answers anything, and a client of it. */
async function recording(answer: object = widget('a'), options = {}) {
  const server = await http2Server(({ json }) => json(answer))
  return { client: await server.connect(options), seen: server.seen }
}

const ofLast = (seen: readonly Seen[]) => {
  const { method, path, headers, body } = seen.at(-1) as Seen
  const url = new URL(path, 'https://x')
  return {
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    type: headers['content-type'],
    body: body === '' ? undefined : JSON.parse(body),
  }
}

const one = '/apis/demo.io/v1/namespaces/default/widgets/a'
const many = '/apis/demo.io/v1/namespaces/default/widgets'
const strict = { fieldValidation: 'Strict' }

it('writes each method as the API wants it', async () => {
  const { client, seen } = await recording()
  const widgets = client.with({ fieldManager: 'me' }).for(Widget)
  const scale = widgets.subresource('scale')
  const owned = { ...strict, fieldManager: 'me' }
  const body = widget('a')
  const json = 'application/json'
  const calls: readonly [() => Promise<unknown>, object][] = [
    [() => widgets.get('default/a', { resourceVersion: '4' }), { method: 'GET', path: one, query: { resourceVersion: '4' } }],
    [() => widgets.create(body), { method: 'POST', path: many, query: owned, type: json, body }],
    [() => widgets.update(body, { dryRun: true }), { method: 'PUT', path: one, query: { ...owned, dryRun: 'All' }, body }],
    [
      () => widgets.updateStatus(body, { fieldManager: 'other', fieldValidation: 'Warn' }),
      { method: 'PUT', path: `${one}/status`, query: { fieldManager: 'other', fieldValidation: 'Warn' } },
    ],
    [
      () => widgets.patch(body as never, { type: 'json', body: [] }),
      { method: 'PATCH', path: one, type: 'application/json-patch+json', body: [] },
    ],
    [() => widgets.patch('default/a', { type: 'merge', body: { a: null } }), { type: 'application/merge-patch+json', body: { a: null } }],
    [() => widgets.patch('default/a', { type: 'strategic', body: {} }), { type: 'application/strategic-merge-patch+json', query: owned }],
    [
      () => widgets.patch('default/a', { type: 'apply', body: body as never, force: true }),
      { type: 'application/apply-patch+yaml', query: { ...owned, force: 'true' } },
    ],
    [
      () => widgets.apply(body, { fieldManager: 'x'.repeat(200) }),
      { method: 'PATCH', path: one, type: 'application/apply-patch+yaml', query: { ...strict, fieldManager: 'x'.repeat(128) }, body },
    ],
    [() => scale.get('default/a'), { method: 'GET', path: `${one}/scale`, query: {} }],
    [() => scale.update('default/a', body as never), { method: 'PUT', path: `${one}/scale`, query: owned }],
    [() => scale.patch('default/a', { type: 'merge', body: {} }), { method: 'PATCH', path: `${one}/scale`, query: owned }],
    [() => widgets.subresource('binding').create('default/a', body), { method: 'POST', path: `${one}/binding`, query: owned, body }],
    [
      () => widgets.delete('default/a', { gracePeriodSeconds: 0, propagationPolicy: 'Orphan', preconditions: { uid: 'u' }, dryRun: true }),
      {
        method: 'DELETE',
        path: one,
        query: {},
        body: {
          kind: 'DeleteOptions',
          apiVersion: 'v1',
          gracePeriodSeconds: 0,
          propagationPolicy: 'Orphan',
          preconditions: { uid: 'u' },
          dryRun: ['All'],
        },
      },
    ],
  ]
  for (const [call, wanted] of calls) {
    await call()
    expect(ofLast(seen)).toMatchObject(wanted)
  }
})

it('writes lists, and completes what they leave out', async () => {
  const { client, seen } = await recording(list)
  const widgets = client.for(Widget)
  const got = await widgets.list({
    namespace: 'default',
    limit: 2,
    continue: 'c+/=',
    labelSelector: 'a=b',
    fieldSelector: 'x!=y',
    resourceVersion: '0',
    resourceVersionMatch: 'NotOlderThan',
  })
  expect(ofLast(seen)).toMatchObject({
    method: 'GET',
    path: many,
    query: {
      limit: '2',
      continue: 'c+/=',
      labelSelector: 'a=b',
      fieldSelector: 'x!=y',
      resourceVersion: '0',
      resourceVersionMatch: 'NotOlderThan',
    },
  })
  expect(got).toEqual({
    ...list,
    metadata: { resourceVersion: '9' },
    items: [{ apiVersion: 'demo.io/v1', kind: 'Widget', metadata: { name: 'a' } }],
  })
  await widgets.list()
  expect(ofLast(seen)).toMatchObject({ path: '/apis/demo.io/v1/widgets', query: {} })
  expect(await widgets.deleteCollection({ namespace: 'default', labelSelector: 'a=b' })).toBe(1)
  expect(ofLast(seen)).toMatchObject({ method: 'DELETE', path: many, query: { labelSelector: 'a=b' } })
})

it('knows core and cluster-scoped kinds, and a server below a path', async () => {
  const server = await http2Server(({ json }) => json(widget('a')))
  const client = await server.connect({ server: `${server.url}/clusters/one/` })
  await client.for(kind({ group: '', version: 'v1', kind: 'Node', resource: 'nodes', namespaced: false })).get('n')
  expect(server.seen[0]?.path).toBe('/clusters/one/api/v1/nodes/n')
})

it('deletes a collection in all namespaces, one by one', async () => {
  const calls: string[] = []
  const server = await http2Server(({ seen, json }) => {
    calls.push(`${seen.method} ${seen.path}`)
    const item = (namespace: string) => ({ metadata: { namespace, name: 'a' } })
    if (seen.method === 'DELETE') return json({ kind: 'WidgetList', metadata: {}, items: [item('x'), item('x')] })
    json(
      seen.path.includes('continue')
        ? { metadata: {}, items: [item('b')] }
        : { metadata: { continue: 'next' }, items: [item('a'), item('a')] },
    )
  })
  expect(await (await server.connect()).for(Widget).deleteCollection({ labelSelector: 'k=v' })).toBe(4)
  expect(calls).toEqual([
    'GET /apis/demo.io/v1/widgets?labelSelector=k%3Dv&limit=500',
    'GET /apis/demo.io/v1/widgets?labelSelector=k%3Dv&limit=500&continue=next',
    'DELETE /apis/demo.io/v1/namespaces/a/widgets?labelSelector=k%3Dv',
    'DELETE /apis/demo.io/v1/namespaces/b/widgets?labelSelector=k%3Dv',
  ])
})

it('makes the best of a server that answers a deletion with a Status', async () => {
  const { client } = await recording({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', uid: 'u-1' },
  })
  expect(await client.for(Widget).delete('default/a')).toEqual({
    apiVersion: 'demo.io/v1',
    kind: 'Widget',
    metadata: { name: 'a', namespace: 'default', uid: 'u-1' },
  })
})

it.each(['..', '.', 'a/b', 'a\\b', 'a%2fb', 'a\nb', 'a\u0000'])('does not let the name %j leave its place', async (name) => {
  const { client, seen } = await recording()
  const widgets = client.for(Widget)
  for (const call of [
    () => widgets.get({ namespace: 'default', name }),
    () => widgets.list({ namespace: name }),
    () => widgets.delete({ namespace: name, name: 'a' }),
    () => widgets.subresource(name).get('default/a'),
    () => client.for({ ...Widget, group: name }).list(),
    () => client.for({ ...Widget, resource: name }).watch({ signal: new AbortController().signal }),
  ]) {
    expect(await refusal(call())).toMatchObject({ reason: 'BadRequest' })
  }
  expect(seen).toEqual([])
})

it('refuses objects without a name or a namespace, as the local client does', async () => {
  const { client, seen } = await recording()
  const widgets = client.for(Widget)
  expect(await refusal(widgets.get('default/'))).toMatchObject({ message: 'the Widget to work on has no name' })
  expect(await refusal(widgets.get('a'))).toMatchObject({ message: 'an empty namespace may not be set when a resource name is provided' })
  expect(await refusal(widgets.create({ ...widget('a'), metadata: { name: 'a' } }))).toMatchObject({ reason: 'BadRequest' })
  expect(seen).toEqual([])
})

it('refuses what JSON cannot say', async () => {
  const { client } = await recording()
  const loop: Record<string, unknown> = {}
  loop.self = loop
  expect(await refusal(client.for(Widget).create(widget('a', loop)))).toMatchObject({ reason: 'BadRequest' })
  expect(await refusal(client.for(Widget).create(widget('a', { n: 1n })))).toMatchObject({ reason: 'BadRequest' })
})

it('tells the server on whose behalf, under which fence, and why', async () => {
  const { client, seen } = await recording()
  const user = { username: 'jane', uid: '7', groups: ['dev', 'cn=a,ou=b'], extra: { 'Example.org/Key': ['v1', 'v2'] } }
  const fence = { group: 'g', resource: 'leases', namespace: 'n s', name: 'l/1', resourceVersion: '5' }
  await client.as({ username: 'nobody' }).with({ fence, cause: 'd-1' }).as(user).for(Widget).get('default/a')
  const { headers } = seen[0] as Seen
  expect(headers).toMatchObject({
    'impersonate-user': 'jane',
    'impersonate-uid': '7',
    'impersonate-group': 'dev, cn=a,ou=b',
    'impersonate-extra-%45xample.org%2f%4bey': 'v1, v2',
    'continuo-fence': 'g/leases/n%20s/l%2F1/5',
    'continuo-cause': 'd-1',
    accept: 'application/json',
  })
  await client.for(Widget).get('default/a')
  expect(Object.keys(seen[1]?.headers ?? {}).filter((name) => /^(impersonate|continuo)/.test(name))).toEqual([])
})

it.each([
  { username: 'a\r\nx: y' },
  { username: '' },
  { username: ' padded' },
  { username: 'jürgen' },
  { username: 'a', uid: 'b\n' },
  { username: 'a', groups: ['dev, system:masters'] },
  { username: 'a', groups: ['dev,\tsystem:masters'] },
  { username: 'a', extra: { k: ['a, b'] } },
])('refuses a user that a header cannot carry: %j', async (user) => {
  const { client, seen } = await recording()
  expect(await refusal(client.as(user).for(Widget).get('default/a'))).toMatchObject({ reason: 'BadRequest' })
  expect(await refusal(client.as(user).for(Widget).watch({ signal: new AbortController().signal }))).toMatchObject({ reason: 'BadRequest' })
  expect(seen).toEqual([])
})

it('lets no cause, token or user agent end a header', async () => {
  const { client, seen } = await recording()
  await client.with({ cause: 'a\r\nx-evil: yes' }).for(Widget).get('default/a')
  expect(seen[0]?.headers).toMatchObject({ 'continuo-cause': 'a??x-evil:?yes' })
  expect(seen[0]?.headers['x-evil']).toBeUndefined()
  const { client: bad, seen: none } = await recording(undefined, { token: 'a\r\nx: y' })
  const error = await refusal(bad.for(Widget).get('default/a'))
  expect(error.message).toBe('the token holds characters that no token has')
  expect(none).toEqual([])
  await expect(recording(undefined, { userAgent: 'a\nb' })).rejects.toMatchObject({ code: 'CLIENT_CONFIG' })
})

it('hands on warnings', async () => {
  const warnings: string[] = []
  const server = await http2Server(({ json }) =>
    json(widget('a'), 200, { warning: '299 - "unknown field \\"spec.x\\"", 299 - "deprecated", 199 - "other"' }),
  )
  await (await server.connect({ onWarning: (text: string) => void warnings.push(text) })).for(Widget).get('default/a')
  expect(warnings).toEqual(['unknown field "spec.x"', 'deprecated'])
})
