import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, type ApiAnswer, openApi } from '../support/api.ts'
import { type ClusterProcess, startProcess } from '../support/cluster-process.ts'
import { dataDirectory } from '../support/continuo.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const deployments = '/apis/apps/v1/namespaces/default/deployments'

let data: Awaited<ReturnType<typeof dataDirectory>>
let cluster: ClusterProcess
let api: Api

const configMap = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: '1' },
  ...more,
})
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'host' }] } }
const deployment = (spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { selector: { matchLabels: { app: 'x' } }, template, ...spec },
})

let kept: { metadata: { resourceVersion: string; uid: string } }

beforeAll(async () => {
  data = await dataDirectory('input')
  cluster = await startProcess({ dataDir: data.path })
  api = await openApi(cluster.kubeconfig)
  kept = (await api.ok('POST', configMaps, { body: configMap('kept') })).body
})
afterAll(async () => {
  // Whatever came in: what was there is as it was, nothing came to be, and the server said nothing of a fault of its own.
  expect((await api.ok('GET', `${configMaps}/kept`)).body).toEqual(kept)
  expect((await api.ok('GET', deployments)).body.items).toEqual([])
  const names = (await api.ok('GET', configMaps)).body.items.map((item: { metadata: { name: string } }) => item.metadata.name)
  expect(names.sort()).toEqual(['kept', 'kube-root-ca.crt'])
  expect(cluster.output()).not.toMatch(/"level":(50|60)/)
  await cluster?.interrupt()
  api?.[Symbol.dispose]()
  await data.remove()
})

/** A Status as Kubernetes answers it, whole: what is named here is compared, and that there is no more to it than a Status has. */
function expectStatus(answer: ApiAnswer, code: number, reason: string, message: RegExp | string): void {
  expect(answer.body, answer.text).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason })
  expect(answer.status).toBe(code)
  expect(answer.body.message).toMatch(message)
  expect(answer.text).not.toMatch(/\.ts:\d+|node:internal/)
}

describe('bodies', () => {
  it.each([
    ['malformed JSON', '{"apiVersion":"v1",', 'application/json', 400, 'BadRequest', /.+/],
    ['text that is no object', '"hello"', 'application/json', 400, 'BadRequest', /.+/],
    ['an empty body', '', 'application/json', 400, 'BadRequest', /.+/],
    ['malformed YAML', 'apiVersion: v1\nkind: [', 'application/yaml', 400, 'BadRequest', /.+/],
    [
      'an alias bomb',
      `a: &a [x]\n${Array.from(
        { length: 20 },
        (_, i) =>
          `${'b'.repeat(i + 1)}: &${'b'.repeat(i + 1)} [${Array(9)
            .fill(`*${i === 0 ? 'a' : 'b'.repeat(i)}`)
            .join(',')}]`,
      ).join('\n')}`,
      'application/yaml',
      400,
      'BadRequest',
      /.+/,
    ],
    ['a nesting without end', `${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}`, 'application/json', 400, 'BadRequest', /.+/],
    [
      'another content type',
      'x',
      'text/plain',
      415,
      'UnsupportedMediaType',
      /unknown format - accepted media types include: application\/json, application\/yaml/,
    ],
    ['another kind', JSON.stringify({ ...configMap('x'), kind: 'Secret' }), 'application/json', 400, 'BadRequest', /Secret/],
    ['another version', JSON.stringify({ ...configMap('x'), apiVersion: 'v2' }), 'application/json', 400, 'BadRequest', /v2/],
    ['no metadata', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap' }), 'application/json', 422, 'Invalid', /name/],
    ['metadata of a wrong type', JSON.stringify({ ...configMap('x'), metadata: 'x' }), 'application/json', 400, 'BadRequest', /metadata/],
    ['a number where text is due', JSON.stringify({ ...configMap('x'), data: { a: 1 } }), 'application/json', 400, 'BadRequest', /data/],
    [
      'a prototype',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"__proto__"},"__proto__":{"x":1}}',
      'application/json',
      400,
      'BadRequest',
      /__proto__/,
    ],
  ] as const)('refuses %s', async (_, body, contentType, code, reason, message) => {
    expectStatus(await api.send('POST', configMaps, { body, contentType }), code, reason, message)
  })

  it('refuses more data than a ConfigMap may hold, an object above the limit, and a body above its own', async () => {
    const full = await api.send('POST', configMaps, { body: configMap('full', { data: { a: 'x'.repeat(1_048_577) } }) })
    expectStatus(full, 422, 'Invalid', 'ConfigMap "full" is invalid: []: Too long: may not be more than 1048576 bytes')
    const env = [{ name: 'LARGE', value: 'x'.repeat(2_000_000) }]
    const containers = [{ ...template.spec.containers[0], env }]
    const large = await api.send('POST', deployments, { body: deployment({ template: { ...template, spec: { containers } } }) })
    expectStatus(large, 413, 'RequestEntityTooLarge', /.+/)
    // The server may cut the connection of somebody who goes on sending; what it says before is a 413.
    const huge = await api.send('POST', configMaps, { body: 'x'.repeat(20_000_000) }).catch((error) => error)
    if ('status' in huge) expectStatus(huge, 413, 'RequestEntityTooLarge', /.+/)
    else expect(['ECONNRESET', 'EPIPE']).toContain(huge.code)
  })

  it('warns of unknown and doubled fields, and refuses them when asked to be strict, by name', async () => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"strict"},"datta":{},"data":{"a":"1"},"data":{"a":"2"}}'
    const strict = await api.send('POST', `${configMaps}?fieldValidation=Strict`, { body })
    expectStatus(strict, 400, 'BadRequest', /strict decoding error: .*unknown field "datta"/)
    expect(strict.body.message).toMatch(/duplicate field "data"/)
    const warned = await api.send('POST', `${configMaps}?dryRun=All`, { body })
    expect(warned.status).toBe(201)
    expect(String(warned.headers.warning)).toMatch(/299 - "unknown field \\"datta\\""/)
    expect(warned.body.data).toEqual({ a: '2' })
    const ignored = await api.send('POST', `${configMaps}?dryRun=All&fieldValidation=Ignore`, { body })
    expect(ignored.headers.warning).toBeUndefined()
  })
})

describe('objects', () => {
  it.each([
    ['upper case', 'Bad'],
    ['a slash', 'a/b'],
    ['spaces', 'a b'],
    ['a leading dash', '-a'],
    ['more than 253 characters', 'a'.repeat(254)],
  ])('refuses a name with %s', async (_, name) => {
    const answer = await api.send('POST', configMaps, { body: configMap(name) })
    expectStatus(answer, 422, 'Invalid', `metadata.name: Invalid value: "${name}"`)
    expect(answer.body.details).toMatchObject({ kind: 'ConfigMap', causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }] })
  })

  it('names every fault of an object at once, each with its field', async () => {
    const faults = {
      replicas: -1,
      selector: { matchLabels: { app: 'other' } },
      template: { ...template, spec: { containers: [{ name: 'UPPER', image: '' }] } },
    }
    const answer = await api.send('POST', deployments, { body: deployment(faults) })
    expectStatus(answer, 422, 'Invalid', /^Deployment\.apps "web" is invalid: \[/)
    const fields = answer.body.details.causes.map((cause: { field: string }) => cause.field)
    for (const field of [
      'spec.replicas',
      'spec.template.metadata.labels',
      'spec.template.spec.containers[0].name',
      'spec.template.spec.containers[0].image',
    ])
      expect(fields).toContain(field)
  })

  it.each([
    ['text for a number', { replicas: 'three' }, /replicas/],
    ['a list for an object', { template: [] }, /template/],
    ['a fraction for a whole number', { replicas: 1.5 }, /replicas/],
  ])('refuses %s', async (_, spec, message) => {
    expectStatus(await api.send('POST', deployments, { body: deployment(spec) }), 400, 'BadRequest', message)
  })

  it('refuses a namespace that is not there, another than the path says, and a name that is taken', async () => {
    expectStatus(
      await api.send('POST', '/api/v1/namespaces/nowhere/configmaps', { body: configMap('x') }),
      404,
      'NotFound',
      'namespaces "nowhere" not found',
    )
    expectStatus(
      await api.send('POST', configMaps, { body: configMap('x', { metadata: { name: 'x', namespace: 'kube-system' } }) }),
      400,
      'BadRequest',
      /namespace/,
    )
    expectStatus(await api.send('POST', configMaps, { body: configMap('kept') }), 409, 'AlreadyExists', 'configmaps "kept" already exists')
  })

  it('refuses stale versions, other uids and failed preconditions with 409', async () => {
    const stale = { ...configMap('kept'), metadata: { name: 'kept', resourceVersion: '1' } }
    const put = await api.send('PUT', `${configMaps}/kept`, { body: stale })
    expectStatus(put, 409, 'Conflict', /^Operation cannot be fulfilled on configmaps "kept": the object has been modified/)
    const other = { ...configMap('kept'), metadata: { name: 'kept', uid: '00000000-0000-4000-8000-000000000000' } }
    expectStatus(await api.send('PUT', `${configMaps}/kept`, { body: other }), 409, 'Conflict', /uid/i)
    const patch = { body: { metadata: { resourceVersion: '1' }, data: { a: '2' } }, contentType: 'application/merge-patch+json' }
    expectStatus(await api.send('PATCH', `${configMaps}/kept`, patch), 409, 'Conflict', /modified/)
    const remove = { body: { preconditions: { uid: '00000000-0000-4000-8000-000000000000' } } }
    expectStatus(await api.send('DELETE', `${configMaps}/kept`, remove), 409, 'Conflict', /UID/i)
    expectStatus(await api.send('PUT', `${configMaps}/kept`, { body: configMap('another') }), 400, 'BadRequest', /name/)
    expectStatus(
      await api.send('PUT', `${configMaps}/kept`, { body: { ...stale, metadata: { name: 'kept', resourceVersion: 'abc' } } }),
      409,
      'Conflict',
      /modified/,
    )
  })

  it.each([
    ['a JSON patch that is none', 'application/json-patch+json', '{"op":"add"}', 400],
    ['a JSON patch of a path that is not there', 'application/json-patch+json', '[{"op":"remove","path":"/nowhere"}]', 422],
    ['a failed test of a JSON patch', 'application/json-patch+json', '[{"op":"test","path":"/data/a","value":"2"}]', 422],
    ['a merge patch that is no object', 'application/merge-patch+json', '7', 400],
    ['a patch that changes the name', 'application/merge-patch+json', '{"metadata":{"name":"other"}}', 400],
    ['a patch of an unknown type', 'application/x-patch', '{}', 415],
    ['an apply without a manager', 'application/apply-patch+yaml', 'apiVersion: v1\nkind: ConfigMap', 422],
  ])('refuses %s', async (_, contentType, body, code) => {
    const answer = await api.send('PATCH', `${configMaps}/kept`, { body, contentType })
    expect([answer.status, answer.body?.kind], answer.text).toEqual([code, 'Status'])
  })
})

describe('requests', () => {
  it.each([
    ['an unknown kind', 'GET', '/api/v1/namespaces/default/bananas', 404, 'NotFound'],
    ['an unknown group', 'GET', '/apis/fruit.example/v1/bananas', 404, 'NotFound'],
    ['an unknown version', 'GET', '/apis/apps/v9/deployments', 404, 'NotFound'],
    ['an unknown object', 'GET', `${configMaps}/nobody`, 404, 'NotFound'],
    ['an unknown subresource', 'GET', `${configMaps}/kept/scale`, 404, 'NotFound'],
    ['a method that is not served', 'POST', `${configMaps}/kept`, 405, 'MethodNotAllowed'],
    ['a malformed label selector', 'GET', `${configMaps}?labelSelector=a%20b%20c`, 400, 'BadRequest'],
    ['an unknown field selector', 'GET', `${configMaps}?fieldSelector=spec.colour%3Dred`, 400, 'BadRequest'],
    ['a malformed limit', 'GET', `${configMaps}?limit=many`, 400, 'BadRequest'],
    ['a malformed continue token', 'GET', `${configMaps}?continue=nonsense`, 400, 'BadRequest'],
    ['a version that is no number', 'GET', `${configMaps}?resourceVersion=abc`, 400, 'BadRequest'],
  ])('answers %s with a Status', async (_, method, path, code, reason) => {
    const answer = await api.send(method, path, method === 'POST' ? { body: configMap('kept') } : {})
    expect([answer.status, answer.body?.kind, answer.body?.reason], answer.text).toEqual([code, 'Status', reason])
  })

  it('answers a version of the future with 504 and the advice to retry', async () => {
    const answer = await api.send('GET', `${configMaps}?resourceVersion=999999999`)
    expectStatus(answer, 504, 'Timeout', /Too large resource version: 999999999, current: \d+/)
    expect(answer.body.details.causes).toContainEqual(expect.objectContaining({ reason: 'ResourceVersionTooLarge' }))
  })

  it('answers path tricks and broken escapes without leaving the API', async () => {
    for (const path of [
      '/api/v1/namespaces/default/configmaps/%zz',
      '/api/v1/../../etc/passwd',
      '/api/v1/namespaces/default/configmaps/..%2fkept',
    ])
      expect((await api.send('GET', path)).status, path).toBeGreaterThanOrEqual(400)
  })

  it('refuses who does not say who they are', async () => {
    const { request } = await import('node:https')
    const status = await new Promise((resolve, reject) => {
      request(new URL(configMaps, api.server), { rejectUnauthorized: false }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end()
    })
    expect([401, 403]).toContain(status)
  })
})
