import { connect as netConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { gunzipSync, gzipSync } from 'node:zlib'
import { defineResource, RegistryCap } from '@continuo/core'
import { encodeProtobuf } from '@continuo/workload'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const tableAccept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
const widget = defineResource({
  group: 'demo.io',
  plural: 'widgets',
  kind: 'Widget',
  shortNames: ['wd'],
  categories: ['all'],
  namespaced: true,
  custom: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', description: 'What it shall be.', properties: { size: { type: 'integer', description: 'How large.' } } },
        },
      },
    },
  ],
})

let api: RunningApi
beforeAll(async () => {
  api = await startApi({ limits: { bodyBytes: 64 * 1024, bodyTimeoutSeconds: 0.3, headerBytes: 8 * 1024 } })
})
afterAll(() => api[Symbol.asyncDispose]())

const create = (name: string, data: Record<string, string> = {}) =>
  api.call(configMaps, { method: 'POST', body: { metadata: { name }, data } })

describe('objects', () => {
  it('are created, read, replaced and deleted', async () => {
    const created = await create('crud', { a: '1' })
    expect([created.status, created.json.kind, created.json.apiVersion, created.json.metadata.namespace]).toEqual([
      201,
      'ConfigMap',
      'v1',
      'default',
    ])
    const read = await api.call(`${configMaps}/crud`)
    expect(read.json).toEqual(created.json)
    const replaced = await api.call(`${configMaps}/crud`, { method: 'PUT', body: { ...read.json, data: { a: '2' } } })
    expect([replaced.status, replaced.json.data.a]).toEqual([200, '2'])
    const stale = await api.call(`${configMaps}/crud`, { method: 'PUT', body: { ...read.json, data: { a: '3' } } })
    expect([stale.status, stale.json.reason]).toEqual([409, 'Conflict'])
    const deleted = await api.call(`${configMaps}/crud`, { method: 'DELETE' })
    expect(deleted.json).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { name: 'crud', kind: 'configmaps', uid: read.json.metadata.uid },
    })
    const gone = await api.call(`${configMaps}/crud`)
    expect(gone.json).toMatchObject({
      kind: 'Status',
      code: 404,
      reason: 'NotFound',
      details: { name: 'crud', kind: 'configmaps' },
      message: 'configmaps "crud" not found',
    })
  })

  it('come back as they were last when a deletion asks for them', async () => {
    await create('last', { a: '1' })
    const deleted = await api.call(`${configMaps}/last`, { method: 'DELETE', headers: { 'continuo-return-deleted': 'true' } })
    expect(deleted.json).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } })
  })

  it('are patched by each content type', async () => {
    await create('patched', { a: '1', b: '2' })
    const patch = (type: string, body: unknown, query = '') =>
      api.call(`${configMaps}/patched${query}`, { method: 'PATCH', headers: { 'content-type': type }, body: JSON.stringify(body) })
    expect((await patch('application/json-patch+json', [{ op: 'replace', path: '/data/a', value: '3' }])).json.data).toEqual({
      a: '3',
      b: '2',
    })
    expect((await patch('application/merge-patch+json', { data: { b: null } })).json.data).toEqual({ a: '3' })
    expect((await patch('application/strategic-merge-patch+json', { data: { c: '4' } })).json.data).toEqual({ a: '3', c: '4' })
    const applied = await patch(
      'application/apply-patch+yaml',
      { apiVersion: 'v1', kind: 'ConfigMap', data: { d: '5' } },
      '?fieldManager=me',
    )
    expect(applied.json.data).toEqual({ a: '3', c: '4', d: '5' })
    expect((await patch('application/apply-patch+yaml', { apiVersion: 'v1', kind: 'ConfigMap' })).json.reason).toBe('Invalid')
    expect((await patch('application/merge-patch+json', {}, '?force=true')).status).toBe(422)
    expect((await patch('application/json', {})).status).toBe(415)
  })

  it('are applied into being with 201', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\ndata:\n  yes: "no"\n'
    const applied = await api.call(`${configMaps}/applied?fieldManager=me`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: text,
    })
    expect([applied.status, applied.json.data]).toEqual([201, { true: 'no' }])
  })

  it('go in and out as YAML', async () => {
    const created = await api.call(configMaps, {
      method: 'POST',
      headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
      body: 'metadata: {name: yaml}\ndata: {a: "1"}\n',
    })
    expect([created.status, created.headers['content-type']]).toEqual([201, 'application/yaml'])
    expect(created.text).toMatch(/^data:\n {2}a: "1"$/m)
  })

  it('come in as protobuf', async () => {
    const body = encodeProtobuf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'proto' }, data: { a: '1' } } as never)
    const created = await api.call(configMaps, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/json' },
      body,
    })
    expect([created.status, created.json.data]).toEqual([201, { a: '1' }])
  })

  it('can be tried without being stored', async () => {
    expect((await api.call(`${configMaps}?dryRun=All`, { method: 'POST', body: { metadata: { name: 'dry' } } })).status).toBe(201)
    expect((await api.call(`${configMaps}/dry`)).status).toBe(404)
  })

  it('are deleted as a collection by selector', async () => {
    for (const name of ['x1', 'x2']) await api.call(configMaps, { method: 'POST', body: { metadata: { name, labels: { set: 'x' } } } })
    const removed = await api.call(`${configMaps}?labelSelector=set%3Dx`, { method: 'DELETE' })
    expect(removed.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['x1', 'x2'])
    expect((await api.call(`${configMaps}?labelSelector=set%3Dx`)).json.items).toEqual([])
  })
})

describe('forms of answers', () => {
  it('are tables for those who want one', async () => {
    await create('table', { a: '1', b: '2' })
    const { json } = await api.call(`${configMaps}/table`, { headers: tableAccept })
    expect([json.kind, json.apiVersion]).toEqual(['Table', 'meta.k8s.io/v1'])
    expect(json.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'Data', 'Age'])
    expect(json.rows[0].cells.slice(0, 2)).toEqual(['table', 2])
    expect(json.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'table' } })
    expect((await api.call(`${configMaps}/table?includeObject=Object`, { headers: tableAccept })).json.rows[0].object.data).toEqual({
      a: '1',
      b: '2',
    })
    expect((await api.call(`${configMaps}/table?includeObject=None`, { headers: tableAccept })).json.rows[0].object).toBeNull()
    expect((await api.call(`${configMaps}/table?includeObject=Some`, { headers: tableAccept })).status).toBe(400)
  })

  it('are metadata alone for those who want that', async () => {
    await create('partial', { a: '1' })
    const one = await api.call(`${configMaps}/partial`, {
      headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' },
    })
    expect(Object.keys(one.json).sort()).toEqual(['apiVersion', 'kind', 'metadata'])
    const list = await api.call(configMaps, { headers: { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } })
    expect([list.json.kind, list.json.items[0].kind]).toEqual(['PartialObjectMetadataList', 'PartialObjectMetadata'])
  })

  it('are indented on request and for people', async () => {
    expect((await api.call('/version?pretty=true')).text).toMatch(/^\{\n {2}"major"/)
    expect((await api.call('/version', { headers: { 'user-agent': 'curl/8' } })).text).toMatch(/^\{\n/)
    expect((await api.call('/version?pretty=false', { headers: { 'user-agent': 'curl/8' } })).text).toMatch(/^\{"major"/)
  })

  it('are compressed when large and wanted', async () => {
    const big = 'x'.repeat(50_000)
    for (const name of ['g1', 'g2', 'g3']) await create(name, { big })
    const session = api.session()
    const read = (headers: Record<string, string>): Promise<{ headers: Record<string, unknown>; body: Buffer }> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': configMaps, ...headers })
        const chunks: Buffer[] = []
        let got: Record<string, unknown> = {}
        stream.on('response', (response) => {
          got = response
        })
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => resolve({ headers: got, body: Buffer.concat(chunks) }))
        stream.on('error', reject)
      })
    const zipped = await read({ 'accept-encoding': 'gzip' })
    const plain = await read({})
    expect([zipped.headers['content-encoding'], plain.headers['content-encoding']]).toEqual(['gzip', undefined])
    expect(zipped.body.length).toBeLessThan(10_000)
    expect(gunzipSync(zipped.body)).toEqual(plain.body)
    expect((await read({ 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined()
  })

  it('page through a list at one version', async () => {
    for (const name of ['page1', 'page2', 'page3'])
      await api.call(configMaps, { method: 'POST', body: { metadata: { name, labels: { set: 'page' } } } })
    const first = await api.call(`${configMaps}?labelSelector=set%3Dpage&limit=2`)
    expect(first.json.items).toHaveLength(2)
    const next = await api.call(
      `${configMaps}?labelSelector=set%3Dpage&limit=2&continue=${encodeURIComponent(first.json.metadata.continue)}`,
    )
    expect([next.json.items.length, next.json.metadata.continue, next.json.metadata.resourceVersion]).toEqual([
      1,
      undefined,
      first.json.metadata.resourceVersion,
    ])
  })
})

describe('bad input', () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = { 'content-type': 'application/json' }, query = '') =>
    api.call(`${configMaps}${query}`, { method: 'POST', headers, body })

  it.each([
    ['malformed JSON', '{"metadata": '],
    ['an empty body', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '7'],
    ['another kind', '{"kind":"Secret","metadata":{"name":"x"}}'],
    ['another version', '{"apiVersion":"v2","metadata":{"name":"x"}}'],
    ['another namespace', '{"metadata":{"name":"x","namespace":"other"}}'],
    ['__proto__', '{"metadata":{"name":"x"},"__proto__":{"polluted":true}}'],
    ['an escaped __proto__', '{"metadata":{"name":"x"},"\\u005f_proto__":{"polluted":true}}'],
    ['metadata that is text', '{"metadata":"x"}'],
    ['an endless nesting', `{"data":${'['.repeat(20_000)}`],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('answers %s with a Status of 400', async (_, body) => {
    const answer = await post(body)
    expect([answer.status, answer.json.kind, answer.json.reason]).toEqual([400, 'Status', 'BadRequest'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it.each([
    ['a name that is no string', '{"metadata":{"name":7}}'],
    ['an illegal name', '{"metadata":{"name":"Not_Legal"}}'],
    ['data of a wrong type', '{"metadata":{"name":"x"},"data":{"a":1}}'],
  ])('answers %s with 400 or 422', async (_, body) => {
    const answer = await post(body)
    expect([400, 422]).toContain(answer.status)
    expect(answer.json.kind).toBe('Status')
  })

  it('treats unknown and duplicate fields as the request wants it', async () => {
    const body = (name: string) => `{"metadata":{"name":"${name}","name":"${name}"},"foo":1}`
    const strict = await post(body('strict'), { 'content-type': 'application/json' }, '?fieldValidation=Strict')
    expect(strict.status).toBe(400)
    expect(strict.json.message).toContain('duplicate field "metadata.name"')
    expect(strict.json.message).toContain('unknown field "foo"')
    const warned = await post(body('warned'))
    expect(warned.status).toBe(201)
    expect(warned.headers.warning).toContain('299 - "duplicate field \\"metadata.name\\""')
    expect(warned.headers.warning).toContain('299 - "unknown field \\"foo\\""')
    const ignored = await post(body('ignored'), { 'content-type': 'application/json' }, '?fieldValidation=Ignore')
    expect([ignored.status, ignored.headers.warning]).toEqual([201, undefined])
  })

  it('refuses what is too large, announced or not, and compressed bombs', async () => {
    const large = JSON.stringify({ metadata: { name: 'large' }, data: { a: 'x'.repeat(100_000) } })
    expect((await post(large)).json).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' })
    const bomb = gzipSync(JSON.stringify({ metadata: { name: 'bomb' }, data: { a: ' '.repeat(50_000_000) } }))
    expect(bomb.length).toBeLessThan(60_000)
    expect((await post(bomb, { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status).toBe(413)
    const small = gzipSync(JSON.stringify({ metadata: { name: 'gzipped' } }))
    expect((await post(small, { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status).toBe(201)
    expect((await post('garbage', { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status).toBe(400)
    expect((await post('{}', { 'content-type': 'application/json', 'content-encoding': 'br' })).status).toBe(415)
  })

  it('refuses a body of unknown length at the limit, over HTTP/2', async () => {
    const status = await new Promise((resolve, reject) => {
      const stream = api.session().request({ ':path': configMaps, ':method': 'POST', 'content-type': 'application/json' })
      stream.on('response', (headers) => resolve(headers[':status']))
      stream.on('error', reject)
      for (let i = 0; i < 10; i++) stream.write('x'.repeat(16 * 1024))
      stream.end()
    })
    expect(status).toBe(413)
  })

  it('gives up on a body that does not arrive', async () => {
    const url = new URL(api.endpoint.url)
    const text = await new Promise<string>((resolve, reject) => {
      const socket = tlsConnect({
        host: url.hostname,
        port: Number(url.port),
        ca: api.endpoint.authority,
        cert: api.endpoint.admin?.certificate,
        key: api.endpoint.admin?.privateKey,
      })
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(received))
      socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`)
    })
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toMatch(/connection: close/i)
  })

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])('does not know %s', async (type) => {
    expect((await post('{}', { 'content-type': type })).json).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' })
  })

  it('refuses protobuf that is none', async () => {
    expect((await post('hello', { 'content-type': 'application/vnd.kubernetes.protobuf' })).status).toBe(400)
  })

  it.each([
    ['GET', '/api/v1/gadgets', 404],
    ['GET', '/apis/none.io/v1/gadgets', 404],
    ['GET', '/apis/apps/v9/deployments', 404],
    ['GET', '/apis/none.io', 404],
    ['GET', '/apis/apps/v9', 404],
    ['GET', '/openapi/v3/apis/none.io/v1', 404],
    ['GET', '/api/v1/namespaces/default/nodes', 404],
    ['GET', '/api/v1/namespaces/default/namespaces', 404],
    ['GET', '/api/v1/namespaces/default/namespaces/default', 404],
    ['GET', '/api/v1/configmaps/x', 404],
    ['GET', `${configMaps}/x/status`, 404],
    ['GET', `${configMaps}/x/y/z`, 404],
    ['GET', '/nonsense', 404],
    ['POST', '/api/v1/configmaps', 405],
    ['POST', `${configMaps}/x`, 405],
    ['PUT', configMaps, 405],
    ['PATCH', configMaps, 405],
    ['DELETE', '/api/v1/configmaps', 405],
    ['HEAD', configMaps, 405],
    ['OPTIONS', configMaps, 405],
    ['DELETE', '/version', 405],
    ['GET', `${configMaps}/..`, 400],
    ['GET', `${configMaps}/a%2fb`, 400],
    ['GET', '/api/v1//namespaces', 400],
    ['GET', `${configMaps}?limit=-1`, 400],
    ['GET', `${configMaps}?labelSelector=%2C%2C!`, 400],
    ['GET', `${configMaps}?fieldSelector=spec.nothing%3D1`, 400],
    ['GET', `${configMaps}?continue=garbage`, 400],
  ])('answers %s %s with a Status of %i', async (method, path, status) => {
    const answer = await api.call(path, { method })
    expect(answer.status).toBe(status)
    if (method !== 'HEAD') expect(answer.json).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status })
  })

  it('refuses headers that are too large without dying', async () => {
    await expect(api.call('/version', { headers: { 'x-large': 'x'.repeat(20_000) } })).resolves.toMatchObject({ status: 431 })
    expect((await api.call('/version')).status).toBe(200)
  })

  it('survives clients that speak no TLS or no HTTP', async () => {
    const { hostname, port } = new URL(api.endpoint.url)
    await new Promise<void>((resolve) => {
      const socket = netConnect({ host: hostname, port: Number(port) }, () => socket.end('GET / HTTP/1.1\r\n\r\n'))
      socket.on('close', () => resolve()).on('error', () => {})
    })
    expect((await api.call('/healthz')).text).toBe('ok')
  })
})

describe('access', () => {
  it('is health and version for the anonymous', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) expect((await api.call(path, { anonymous: true })).status).toBe(200)
    expect((await api.call('/api', { anonymous: true })).json).toMatchObject({
      code: 403,
      message: 'forbidden: User "system:anonymous" cannot get path "/api"',
    })
    expect((await api.call(configMaps, { anonymous: true })).status).toBe(403)
    expect((await api.call(configMaps, { anonymous: true, headers: { authorization: 'Bearer nobody' } })).json).toMatchObject({
      code: 401,
      reason: 'Unauthorized',
    })
  })

  it('is refused before the body is read', async () => {
    const answer = await api.call(configMaps, { method: 'POST', anonymous: true, body: '{"metadata": ' })
    expect(answer.status).toBe(403)
  })
})

describe('endpoints of the server', () => {
  it('tell health with every check', async () => {
    expect((await api.call('/readyz')).text).toBe('ok')
    const verbose = await api.call('/readyz?verbose')
    expect(verbose.text).toMatch(/^\[\+\]ping ok$/m)
    expect(verbose.text).toMatch(/^\[\+\]started ok$/m)
    expect(verbose.text).toMatch(/readyz check passed\n$/)
    expect((await api.call('/readyz/ping')).text).toBe('ok')
    expect((await api.call('/livez/none')).status).toBe(404)
    expect((await api.call('/healthz', { method: 'HEAD' })).text).toBe('')
  })

  it('tell the version in whole numbers', async () => {
    const { json } = await api.call('/version')
    expect([json.major, json.minor, json.gitVersion]).toEqual(['1', '36', 'v1.36.0+continuo'])
  })

  it('count requests', async () => {
    await api.call(`${configMaps}/none`)
    expect((await api.call('/metrics')).text).toMatch(/apiserver_request_total\{verb="get",resource="configmaps",code="404"\} [1-9]/)
  })

  it('do not let clients make up labels of metrics', async () => {
    await api.call('/api/v1/made-up-resource')
    expect((await api.call('/metrics')).text).not.toContain('made-up-resource')
  })
})

describe('a resource that comes and goes', () => {
  it('is discovered, described, served and forgotten', async () => {
    const before = (await api.call('/openapi/v3')).json.paths
    expect((await api.call('/apis/demo.io/v1/namespaces/default/widgets')).status).toBe(404)
    const registered = api.host.use(RegistryCap).add(widget, 'test')
    const groups = await api.call('/apis', { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } })
    expect(groups.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
    expect(
      groups.json.items.find((item: { metadata: { name: string } }) => item.metadata.name === 'demo.io').versions[0].resources[0],
    ).toMatchObject({
      resource: 'widgets',
      singularResource: 'widget',
      scope: 'Namespaced',
      shortNames: ['wd'],
      categories: ['all'],
      responseKind: { group: 'demo.io', version: 'v1', kind: 'Widget' },
    })
    const legacy = await api.call('/apis/demo.io/v1')
    expect(legacy.json).toMatchObject({
      kind: 'APIResourceList',
      groupVersion: 'demo.io/v1',
      resources: [{ name: 'widgets', singularName: 'widget', namespaced: true, kind: 'Widget' }],
    })
    const after = (await api.call('/openapi/v3')).json.paths
    expect(after['api/v1']).toEqual(before['api/v1'])
    const document = (await api.call(after['apis/demo.io/v1'].serverRelativeURL)).json
    expect(document.components.schemas['io.demo.v1.Widget']).toMatchObject({
      properties: { spec: { properties: { size: { type: 'integer', description: 'How large.' } } } },
      'x-kubernetes-group-version-kind': [{ group: 'demo.io', version: 'v1', kind: 'Widget' }],
    })
    const created = await api.call('/apis/demo.io/v1/namespaces/default/widgets', {
      method: 'POST',
      body: { metadata: { name: 'w' }, spec: { size: 3, shape: 'round' } },
    })
    expect([created.status, created.json.spec]).toEqual([201, { size: 3 }])
    const strategic = await api.call('/apis/demo.io/v1/namespaces/default/widgets/w', {
      method: 'PATCH',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: '{}',
    })
    expect(strategic.status).toBe(415)
    registered[Symbol.dispose]()
    expect((await api.call('/apis/demo.io/v1/namespaces/default/widgets')).status).toBe(404)
    expect((await api.call('/apis/demo.io')).status).toBe(404)
  })
})

describe('discovery', () => {
  it('answers in the form that Accept prefers, and 304 to who knows', async () => {
    const legacy = await api.call('/api')
    expect(legacy.json).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    const beta = await api.call('/api', {
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json' },
    })
    expect(beta.json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2beta1' })
    const unknown = await api.call('/apis', {
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json' },
    })
    expect(unknown.json.kind).toBe('APIGroupList')
    expect((await api.call('/api', { headers: { 'if-none-match': String(legacy.headers.etag) } })).status).toBe(304)
  })

  it.each(['application/json;as=Table;v=v1;g=meta.k8s.io', 'text/html'])('has no other form for who takes %s alone', async (accept) => {
    for (const path of ['/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1']) {
      expect((await api.call(path, { headers: { accept } })).json).toMatchObject({ kind: 'Status', code: 406, reason: 'NotAcceptable' })
      expect((await api.call(path, { headers: { accept: `${accept},application/json;q=0.5` } })).status).toBe(200)
    }
  })

  it('lists subresources with their own kinds', async () => {
    const { json } = await api.call('/apis/apps/v1')
    expect(json.resources.find((resource: { name: string }) => resource.name === 'deployments/scale')).toEqual({
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    })
  })
})

describe('OpenAPI', () => {
  it('has no dangling reference in any document', async () => {
    const { paths } = (await api.call('/openapi/v3')).json
    for (const { serverRelativeURL } of Object.values(paths) as { serverRelativeURL: string }[]) {
      const answer = await api.call(serverRelativeURL)
      expect(answer.headers['cache-control']).toContain('immutable')
      const schemas = new Set(Object.keys(answer.json.components.schemas))
      for (const [, name] of answer.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(schemas).toContain(name)
    }
    const v2 = await api.call('/openapi/v2')
    const definitions = new Set(Object.keys(v2.json.definitions))
    for (const [, name] of v2.text.matchAll(/"#\/definitions\/([^"]+)"/g)) expect(definitions).toContain(name)
  })

  it('marks writes with kind, action and fieldValidation', async () => {
    const { json } = await api.call('/openapi/v3/apis/apps/v1')
    const { patch } = json.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' })
    expect(patch['x-kubernetes-action']).toBe('patch')
    expect(patch.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'force',
    ])
    expect(json.components.schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    })
  })
})
