import { readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { definePlugin, type SlotSpec } from '@continuo/core'
import { podSecurity } from '@continuo/plugin-admission'
import { auditLog } from '@continuo/plugin-audit-log'
import { ApiRouteCap } from '@continuo/workload'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type RunningApi, startApi } from '../../packages/plugin-api-http/test/running-api.ts'

// biome-ignore lint/suspicious/noExplicitAny: events of every shape
type Event = any

async function start(
  policy: object,
  { config = {}, plugins = [] }: { readonly config?: object; readonly plugins?: readonly SlotSpec[] } = {},
): Promise<RunningApi & { events(): Promise<Event[]>; text(): Promise<string> }> {
  const api = await startApi({}, [{ slot: 'audit', plugin: auditLog, config: { policy, ...config } }, ...plugins])
  onTestFinished(() => api[Symbol.asyncDispose]())
  const text = () => readFile(join(api.directory, 'audit', 'audit.log'), 'utf8').catch(() => '')
  const events = async () =>
    (await text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  return Object.assign(api, { events, text })
}
const untilTold = (api: { text(): Promise<string> }, what: string) =>
  vi.waitFor(async () => expect(await api.text()).toContain(what), { timeout: 5_000 })
const everything = { rules: [{ level: 'RequestResponse' }] }
const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { a: 'b' } }

it('tells who did what, with both bodies, and answers with the id', async () => {
  const api = await start(everything)
  const answer = await api.call('/api/v1/namespaces/default/configmaps', {
    method: 'POST',
    body: map,
    headers: { 'user-agent': 'tester/1' },
  })
  expect(answer.status).toBe(201)
  const id = answer.headers['audit-id']
  await vi.waitFor(async () => expect((await api.text()).includes('ResponseComplete')).toBe(true), { timeout: 5_000 })
  const [received, complete] = (await api.events()).filter((event) => event.auditID === id)
  expect(received).toMatchObject({ kind: 'Event', apiVersion: 'audit.k8s.io/v1', stage: 'RequestReceived', verb: 'create' })
  expect(complete).toMatchObject({
    level: 'RequestResponse',
    stage: 'ResponseComplete',
    requestURI: '/api/v1/namespaces/default/configmaps',
    user: { username: 'continuo-admin' },
    sourceIPs: ['127.0.0.1'],
    userAgent: 'tester/1',
    objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    responseStatus: { code: 201 },
    requestObject: { data: { a: 'b' } },
    responseObject: { metadata: { name: 'one', namespace: 'default' } },
    annotations: { 'authorization.k8s.io/decision': 'allow' },
  })
})

it('tells of refusals, of failed authentication and of impersonation', async () => {
  const api = await start({ omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] })
  await api.call('/api/v1/namespaces/default/configmaps/none')
  await api.call('/api/v1/nodes', { anonymous: true })
  await api.call('/api/v1/pods', { anonymous: true, headers: { authorization: 'Bearer not-a-token-of-ours' } })
  await api.call('/api/v1/services', { headers: { 'impersonate-user': 'ann' } })
  await vi.waitFor(async () => expect((await api.events()).length).toBe(4), { timeout: 5_000 })
  const [missing, anonymous, bad, impersonated] = await api.events()
  expect(missing.responseStatus).toMatchObject({ code: 404, reason: 'NotFound', status: 'Failure' })
  expect(anonymous).toMatchObject({
    user: { username: 'system:anonymous' },
    responseStatus: { code: 403 },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  })
  expect(bad).toMatchObject({ user: {}, responseStatus: { code: 401 } })
  expect(impersonated).toMatchObject({ user: { username: 'continuo-admin' }, impersonatedUser: { username: 'ann' } })
})

it('holds no secret, token or password at the highest level', async () => {
  const api = await start(everything)
  const secret = Buffer.from('the-pass-phrase').toString('base64')
  const kept = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept' }, data: { key: secret } }
  const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"somebody"}').toString('base64url')}.c2lnbmF0dXJl`
  const at = '/api/v1/namespaces/default/secrets'
  await api.call(at, { method: 'POST', body: kept })
  await api.call(`${at}/kept`)
  await api.call(at)
  await api.call(`${at}/kept`, {
    method: 'PATCH',
    body: { stringData: { more: 'the-pass-phrase' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  await api.call(at, { method: 'POST', body: { ...kept, data: { key: 'the-pass-phrase!' } } })
  await api.call(`/api/v1/pods?access_token=${jwt}`, {
    anonymous: true,
    headers: { authorization: `Bearer ${jwt}`, 'user-agent': `Bearer ${jwt}` },
  })
  await api.call('/api/v1/namespaces/default/configmaps', { method: 'POST', body: { ...map, data: { a: jwt } } })
  await vi.waitFor(async () => expect((await api.text()).match(/ResponseComplete/g)?.length).toBe(7), { timeout: 5_000 })
  const text = await api.text()
  for (const hidden of [secret, 'the-pass-phrase', jwt, jwt.split('.')[1] as string]) expect(text).not.toContain(hidden)
  expect(text).toContain('[redacted]')
})

it('tells the begin and the end of a watch', async () => {
  const api = await start({ rules: [{ level: 'Metadata', verbs: ['watch'] }] })
  await api.call('/api/v1/configmaps?watch=true&timeoutSeconds=1')
  await vi.waitFor(async () => expect((await api.text()).includes('ResponseComplete')).toBe(true), { timeout: 5_000 })
  expect((await api.events()).map((event) => event.stage)).toEqual(['RequestReceived', 'ResponseStarted', 'ResponseComplete'])
})

it('goes on answering when the log cannot be written', async () => {
  const api = await start(everything)
  await writeFile(join(api.directory, 'audit'), 'no directory')
  for (let turn = 0; turn < 20; turn++) expect((await api.call('/api/v1/namespaces')).status).toBe(200)
})

it('refuses requests with 503 when no more events may wait and losing them is not wanted', async () => {
  const api = await start(
    { rules: [{ level: 'None', nonResourceURLs: ['/readyz*'] }, { level: 'Metadata' }] },
    { config: { queue: 4, whenFull: 'refuse' } },
  )
  await writeFile(join(api.directory, 'audit'), 'no directory')
  const answers = []
  for (let turn = 0; turn < 6; turn++) answers.push(await api.call('/api/v1/namespaces'))
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 503, 503, 503, 503])
  expect(answers.at(-1)?.headers['retry-after']).toBe('5')
  expect(answers.at(-1)?.json).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable' })
  expect((await api.call('/readyz/ping')).status).toBe(200)
  await rm(join(api.directory, 'audit'))
  await vi.waitFor(async () => expect((await api.call('/api/v1/namespaces')).status).toBe(200), { timeout: 5_000 })
})

it('answers with an id also where nothing is told, the one of the client if it has one', async () => {
  const api = await start({ rules: [{ level: 'None' }] })
  expect((await api.call('/api/v1/namespaces')).headers['audit-id']).toMatch(/^[\da-f-]{36}$/)
  expect((await api.call('/nothing/here', { anonymous: true })).headers['audit-id']).toMatch(/^[\da-f-]{36}$/)
  expect((await api.call('/version', { headers: { 'audit-id': 'mine-1' } })).headers['audit-id']).toBe('mine-1')
  expect((await api.call('/version', { headers: { 'audit-id': 'not mine' } })).headers['audit-id']).not.toBe('not mine')
  expect(await api.text()).toBe('')
})

it('tells of paths that cannot be read', async () => {
  const api = await start({ omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] })
  const answer = await api.call('/api/v1/namespaces/default/secrets/..%2fa')
  expect([answer.status, typeof answer.headers['audit-id']]).toEqual([400, 'string'])
  await untilTold(api, 'ResponseComplete')
  expect(await api.events()).toMatchObject([
    { requestURI: '/api/v1/namespaces/default/secrets/..%2fa', verb: 'get', user: {}, responseStatus: { code: 400, reason: 'BadRequest' } },
  ])
})

it('tells a fault of the server as Panic', async () => {
  const broken = definePlugin({
    name: 'broken',
    api: '^1',
    provides: [ApiRouteCap],
    setup(ctx) {
      const get = () => {
        throw new RangeError('with the pass-phrase in it')
      }
      ctx.provide(ApiRouteCap, { get }, 'broken/route')
    },
  })
  const api = await start({ rules: [{ level: 'RequestResponse' }] }, { plugins: [{ slot: 'broken', plugin: broken }] })
  expect((await api.call('/broken/route')).status).toBe(500)
  await untilTold(api, 'Panic')
  expect((await api.events()).map(({ stage, responseStatus }) => [stage, responseStatus?.code])).toEqual([
    ['RequestReceived', undefined],
    ['Panic', 500],
  ])
  expect(await api.text()).not.toContain('pass-phrase')
})

it('leaves managed fields out of objects and lists where the policy says so', async () => {
  const api = await start({
    omitManagedFields: true,
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'RequestResponse', verbs: ['get'], omitManagedFields: false },
      { level: 'RequestResponse', resources: [{ resources: ['configmaps'] }] },
    ],
  })
  const at = '/api/v1/namespaces/default/configmaps'
  const made = await api.call(at, { method: 'POST', body: map })
  expect(made.json.metadata.managedFields).toHaveLength(1)
  await api.call(`${at}/one`, { method: 'PUT', body: { ...made.json, data: { a: 'c' } } })
  await api.call(at)
  await api.call(`${at}/one`)
  await vi.waitFor(async () => expect((await api.events()).length).toBe(4), { timeout: 5_000 })
  const [created, updated, listed, got] = await api.events()
  for (const object of [created.responseObject, updated.requestObject, updated.responseObject, listed.responseObject.items[0]]) {
    expect(object.metadata.name).toBe('one')
    expect(object.metadata.managedFields).toBeUndefined()
  }
  expect(got.responseObject.metadata.managedFields).toHaveLength(1)
})

it('holds no bootstrap token, wherever it stands', async () => {
  const api = await start(everything)
  const token = 'abcdef.0123456789abcdef'
  await api.call(`/api/v1/pods?token=${token}`, { anonymous: true, headers: { authorization: `Bearer ${token}`, 'user-agent': token } })
  await api.call('/api/v1/namespaces/default/configmaps', {
    method: 'POST',
    body: { ...map, data: { join: `kubeadm join --token ${token}` } },
  })
  await vi.waitFor(async () => expect((await api.text()).match(/ResponseComplete/g)?.length).toBe(2), { timeout: 5_000 })
  expect(await api.text()).not.toContain(token)
  expect((await api.events()).at(-1).requestObject.data).toEqual({ join: 'kubeadm join --token [redacted]' })
})

it('tells the begin and the end of an upgrade, and its refusal', async () => {
  const api = await start({ rules: [{ level: 'Metadata' }] })
  const refused = await api.call('/api/v1/namespaces/default/pods/none/exec?command=sh', {
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
  })
  expect([refused.status, typeof refused.headers['audit-id']]).toEqual([404, 'string'])
  const { authority: ca, admin } = api.endpoint
  const socket = request(`${api.endpoint.url}/api/v1/configmaps?watch=true&timeoutSeconds=1`, {
    ca,
    cert: admin?.certificate,
    key: admin?.privateKey,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    },
  })
  await new Promise((resolve, reject) => {
    socket.on('upgrade', (_answer, stream: Duplex) => stream.once('close', resolve).once('data', () => stream.destroy()))
    socket.on('error', reject).end()
  })
  await vi.waitFor(async () => expect((await api.text()).match(/ResponseComplete/g)?.length).toBe(2), { timeout: 5_000 })
  const events = await api.events()
  const stagesOf = (resource: string) =>
    events.filter((event) => event.objectRef.resource === resource).map(({ stage, responseStatus }) => [stage, responseStatus?.code])
  expect(stagesOf('pods').at(-1)).toEqual(['ResponseComplete', 404])
  expect(stagesOf('configmaps')).toEqual([
    ['RequestReceived', undefined],
    ['ResponseStarted', 101],
    ['ResponseComplete', 101],
  ])
})

it('has the annotations of pod security', async () => {
  const api = await start(
    { omitStages: ['RequestReceived'], rules: [{ level: 'Metadata', resources: [{ resources: ['pods'] }] }] },
    { plugins: [{ slot: 'security', plugin: podSecurity, config: { audit: 'baseline' } }] },
  )
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    spec: { hostNetwork: true, containers: [{ name: 'c', image: 'x' }] },
  }
  expect((await api.call('/api/v1/namespaces/default/pods', { method: 'POST', body: pod })).status).toBe(201)
  await untilTold(api, 'ResponseComplete')
  expect((await api.events())[0].annotations).toMatchObject({
    'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
    'pod-security.kubernetes.io/audit-violations': expect.stringContaining('would violate PodSecurity "baseline:latest": host namespaces'),
  })
})
