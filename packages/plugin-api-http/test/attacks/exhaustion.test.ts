import { connect, constants } from 'node:http2'
import { ObjectClientCap } from '@continuo/core'
import { ConfigMap } from '@continuo/workload'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const mergePatch = { 'content-type': 'application/merge-patch+json' }
const jsonPatch = { 'content-type': 'application/json-patch+json' }
let api: RunningApi

beforeAll(async () => {
  api = await startApi()
  await api.call(configMaps, { method: 'POST', body: { metadata: { name: 'target' }, data: { a: 'x'.repeat(10_000) } } })
})
afterAll(() => api[Symbol.asyncDispose]())

/** The answer, and how long it held up the server: everything runs in this process. */
async function timed(path: string, call: Parameters<RunningApi['call']>[1]) {
  const began = performance.now()
  const answer = await api.call(path, call)
  return { ...answer, ms: performance.now() - began }
}

it('refuses bombs of YAML aliases', async () => {
  const levels = Array.from({ length: 40 }, (_, i) => `b${i + 1}: &b${i + 1} [*b${i},*b${i},*b${i},*b${i}]`)
  const body = `b0: &b0 [x]\n${levels.join('\n')}\n`
  const answer = await timed(configMaps, { method: 'POST', body, headers: { 'content-type': 'application/yaml' } })
  expect([answer.status, answer.json.kind]).toEqual([400, 'Status'])
  expect(answer.ms).toBeLessThan(2_000)
})

it.each([
  ['application/json', (n: number) => `{"data":${'{"a":'.repeat(n)}1${'}'.repeat(n)}}`],
  ['application/yaml', (n: number) => `data: ${'{a: '.repeat(n)}1${'}'.repeat(n)}`],
])('refuses deep nesting as %s', async (type, body) => {
  const answer = await timed(configMaps, { method: 'POST', body: body(100_000), headers: { 'content-type': type } })
  expect([answer.status, answer.json.kind]).toEqual([400, 'Status'])
  expect(answer.ms).toBeLessThan(2_000)
})

it('refuses JSON patches that are huge, that copy without end, or that contain themselves', async () => {
  const patch = (body: unknown) => timed(`${configMaps}/target`, { method: 'PATCH', headers: jsonPatch, body: JSON.stringify(body) })
  const many = await patch(Array.from({ length: 20_000 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' })))
  expect(many.status).toBe(413)
  const doubling = await patch(Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/data', path: `/data/c${i}` })))
  expect(doubling.status).toBe(413)
  expect(doubling.ms).toBeLessThan(2_000)
  expect((await patch([{ op: 'move', from: '', path: '/data/a' }])).status).toBe(422)
  expect((await patch([{ op: 'move', from: '/data', path: '/data/b' }])).status).toBe(422)
})

it('matches hostile patterns in linear time', async () => {
  const schema = { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } } } }
  const made = await api.call(definitions, {
    method: 'POST',
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'slows.attack.io' },
      spec: {
        group: 'attack.io',
        scope: 'Namespaced',
        names: { plural: 'slows', kind: 'Slow' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    },
  })
  expect(made.status).toBe(201)
  const path = '/apis/attack.io/v1/namespaces/default/slows'
  await expect.poll(async () => (await api.call(path)).status).toBe(200)
  const answer = await timed(path, { method: 'POST', body: { metadata: { name: 'a' }, spec: { a: `${'a'.repeat(50_000)}!` } } })
  expect(answer.status).toBe(422)
  expect(answer.ms).toBeLessThan(2_000)
})

it.each(['a=b,'.repeat(1_500), 'a in ('.repeat(1_000), `a in (${'b,'.repeat(3_000)}b)`])(
  'answers an endless label selector in time',
  async (selector) => {
    const answer = await timed(`${configMaps}?labelSelector=${encodeURIComponent(selector)}`, {})
    expect([200, 400, 431]).toContain(answer.status)
    expect(answer.ms).toBeLessThan(2_000)
  },
)

it('cuts off who resets streams without end, and serves everybody else', async () => {
  const { endpoint } = api
  const session = connect(endpoint.url, { ca: endpoint.authority, cert: endpoint.admin?.certificate, key: endpoint.admin?.privateKey })
  const cut = new Promise<void>((resolve) => {
    session.on('error', () => {})
    session.on('close', () => resolve())
  })
  for (let sent = 0; sent < 20_000 && !session.closed && !session.destroyed; sent += 100) {
    const streams = Array.from({ length: 100 }, () => session.request({ ':path': configMaps }).on('error', () => {}))
    // First asked for, then reset: what is reset before it was sent never reaches the server.
    await new Promise((resolve) => setImmediate(resolve))
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await cut
  expect((await api.call(`${configMaps}/target`)).status).toBe(200)
})

it('keeps few warnings of a body with endless unknown fields', async () => {
  const body = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`unknown${i}`, i]))
  const answer = await timed(`${configMaps}/target`, { method: 'PATCH', headers: mergePatch, body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  expect(String(answer.headers.warning).length).toBeLessThan(8_192)
})

it('serves others while many clients ask for a huge list and read nothing of it', async () => {
  const client = api.host.use(ObjectClientCap).for(ConfigMap)
  const data = { a: 'x'.repeat(50_000) }
  for (let index = 0; index < 400; index++)
    await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `big-${index}`, namespace: 'default' }, data })
  const before = process.memoryUsage().rss
  const streams = Array.from({ length: 16 }, () =>
    api
      .session()
      .request({ ':path': configMaps })
      .on('error', () => {}),
  )
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('response', resolve))))
  expect((await timed(`${configMaps}/target`, {})).ms).toBeLessThan(2_000)
  // Sixteen answers of 20 MB each: none of them stands in memory as a whole.
  expect(process.memoryUsage().rss - before).toBeLessThan(16 * 20_000_000 * 0.75)
  for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
})
