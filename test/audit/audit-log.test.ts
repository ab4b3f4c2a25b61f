import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { auditLog } from '@continuo/plugin-audit-log'
import { expect, it, onTestFinished, vi } from 'vitest'
import { type RunningApi, startApi } from '../../packages/plugin-api-http/test/running-api.ts'

// biome-ignore lint/suspicious/noExplicitAny: events of every shape
type Event = any

async function start(policy: object): Promise<RunningApi & { events(): Promise<Event[]>; text(): Promise<string> }> {
  const api = await startApi({}, [{ slot: 'audit', plugin: auditLog, config: { policy } }])
  onTestFinished(() => api[Symbol.asyncDispose]())
  const text = () => readFile(join(api.directory, 'audit', 'audit.log'), 'utf8').catch(() => '')
  const events = async () =>
    (await text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  return Object.assign(api, { events, text })
}
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
