import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const as = (type: string) => ({ 'content-type': `application/${type}` })
let api: RunningApi

beforeAll(async () => {
  api = await startApi()
  await api.call(configMaps, { method: 'POST', body: { metadata: { name: 'target' } } })
})
afterAll(async () => {
  // Whatever was tried, no object of this process has inherited anything.
  for (const key of ['polluted', 'isAdmin', 'x']) expect(({} as Record<string, unknown>)[key]).toBeUndefined()
  await api[Symbol.asyncDispose]()
})

it.each([
  ['a body', 'POST', configMaps, 'json', '{"metadata":{"name":"a"},"__proto__":{"polluted":1}}'],
  ['labels', 'POST', configMaps, 'json', '{"metadata":{"name":"a","labels":{"__proto__":"x"}}}'],
  ['YAML', 'POST', configMaps, 'yaml', 'metadata: {name: a, labels: {__proto__: x}}'],
  ['a YAML merge key', 'POST', configMaps, 'yaml', 'metadata: {name: a, <<: {__proto__: {polluted: 1}}}'],
  ['a merge patch', 'PATCH', `${configMaps}/target`, 'merge-patch+json', '{"__proto__":{"polluted":1}}'],
  ['a strategic merge patch', 'PATCH', `${configMaps}/target`, 'strategic-merge-patch+json', '{"data":{"__proto__":{"polluted":1}}}'],
  ['an apply', 'PATCH', `${configMaps}/target?fieldManager=a`, 'apply-patch+yaml', '{"data":{"\\u005f\\u005fproto__":"x"}}'],
  ['a JSON patch', 'PATCH', `${configMaps}/target`, 'json-patch+json', '[{"op":"add","path":"/__proto__/polluted","value":1}]'],
  [
    'the value of a JSON patch',
    'PATCH',
    `${configMaps}/target`,
    'json-patch+json',
    '[{"op":"add","path":"/data","value":{"__proto__":{"x":1}}}]',
  ],
])('refuses __proto__ in %s', async (_, method, path, type, body) => {
  const answer = await api.call(path, { method, headers: as(type), body })
  expect([400, 422]).toContain(answer.status)
  expect(answer.json.kind).toBe('Status')
})

it('refuses __proto__ in the defaults of a definition', async () => {
  const schema = '{"type":"object","properties":{"spec":{"type":"object","default":{"__proto__":{"isAdmin":true}}}}}'
  const spec = `{"group":"a.io","scope":"Cluster","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":${schema}}}]}`
  const body = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"as.a.io"},"spec":${spec}}`
  expect((await api.call(definitions, { method: 'POST', headers: as('json'), body })).status).toBe(400)
})

it('takes names that every object inherits for plain data', async () => {
  const labels = { constructor: 'a', toString: 'b', hasOwnProperty: 'c', valueOf: 'd' }
  const made = await api.call(configMaps, {
    method: 'POST',
    body: { metadata: { name: 'plain', labels }, data: { constructor: '1', toString: '2' } },
  })
  expect([made.status, made.json.metadata.labels, made.json.data]).toEqual([201, labels, { constructor: '1', toString: '2' }])
  const found = await api.call(`${configMaps}?labelSelector=constructor%3Da,toString`)
  expect(found.json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['plain'])
  const none = await api.call(`${configMaps}?labelSelector=isPrototypeOf`)
  expect(none.json.items).toEqual([])
})

it.each(['constructor', '__proto__', 'toString'])('knows no field selector, type or kind %s', async (name) => {
  expect((await api.call(`${configMaps}?fieldSelector=${name}%3Da`)).status).toBe(400)
  expect((await api.call(`/api/v1/namespaces/default/${name}`)).status).toBe(404)
  expect((await api.call(`/apis/${name}/v1/${name}`)).status).toBe(404)
  expect((await api.call(configMaps, { method: 'POST', headers: { 'content-type': name }, body: '{}' })).status).toBe(415)
  const secret = { metadata: { generateName: 'a-' }, type: name }
  expect((await api.call('/api/v1/namespaces/default/secrets', { method: 'POST', body: secret })).status).toBe(201)
})

it.each(['9007199254740993', '-9223372036854775808', '18446744073709551616', '1e400', '-1e999'])(
  'refuses the number %s rather than to change it',
  async (number) => {
    const body = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"b"}],"activeDeadlineSeconds":${number}}}`
    for (const type of ['json', 'yaml']) {
      const answer = await api.call('/api/v1/namespaces/default/pods', { method: 'POST', headers: as(type), body })
      expect([400, 422]).toContain(answer.status)
    }
  },
)

it.each(['{"toString":1}', '{"toJSON":{}}', '[]', '7', 'null'])('survives %s where text belongs', async (value) => {
  const fields = [
    '"apiVersion":X,"metadata":{"name":"a"}',
    '"kind":X,"metadata":{"name":"a"}',
    '"metadata":{"name":X}',
    '"metadata":{"name":"a","uid":X}',
    '"metadata":{"name":"a","labels":{"a":X}}',
  ]
  for (const field of fields) {
    const body = `{${field.replace('X', value)}}`
    const created = await api.call(`${configMaps}?dryRun=All`, { method: 'POST', headers: as('json'), body })
    const applied = await api.call(`${configMaps}/other?fieldManager=a&dryRun=All`, {
      method: 'PATCH',
      headers: as('apply-patch+yaml'),
      body,
    })
    expect([created.status, applied.status].every((status) => status < 500)).toBe(true)
  }
})
