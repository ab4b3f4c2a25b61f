import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attributesOf, verbOf } from '../../src/request/attributes.ts'
import { parsePath } from '../../src/request/path.ts'
import { type RunningApi, startApi } from '../running-api.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
let api: RunningApi

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api[Symbol.asyncDispose]())

describe('paths that could be read in two ways', () => {
  it.each([
    ['a cluster-scoped object below a namespace', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterroles/admin', 404],
    ['a namespaced object without its namespace', '/api/v1/secrets/a', 404],
    ['a kind below another group', '/apis/apps/v1/namespaces/default/pods', 404],
    ['the core group by name', '/apis/core/v1/namespaces/default/pods', 404],
    ['a parent directory', `${configMaps}/../secrets`, 400],
    ['an encoded parent directory', `${configMaps}/%2e%2e/secrets/a`, 400],
    ['a twice encoded slash', `${configMaps}/a%252fb`, 400],
    ['an encoded slash', '/api/v1/namespaces/default%2fsecrets/configmaps', 400],
    ['an encoded backslash', `${configMaps}/a%5cb`, 400],
    ['NUL', `${configMaps}/a%00`, 400],
    ['an overlong encoding', `${configMaps}/%c0%af`, 400],
    ['an empty segment', '/api/v1/namespaces//secrets', 400],
    ['a namespace of dots', '/api/v1/namespaces/../secrets', 400],
  ])('answers %s with a Status', async (_, path, status) => {
    expect((await api.call(path)).json).toMatchObject({ kind: 'Status', code: status })
  })

  it.each(['../a', 'a/b', 'a%b', '.', '..', 'a\0', '\ud800'])('stores nothing under the name %j', async (name) => {
    for (const path of [configMaps, '/apis/rbac.authorization.k8s.io/v1/clusterroles']) {
      expect((await api.call(path, { method: 'POST', body: { metadata: { name } } })).status).toBe(422)
    }
  })

  it.each(['metadata.namespace=../x', 'metadata.name=../secrets/a', 'metadata.name=a/b'])(
    'reaches nothing else by the field selector %s',
    async (selector) => {
      const answer = await api.call(`/api/v1/configmaps?fieldSelector=${encodeURIComponent(selector)}`)
      expect(answer.status === 400 || answer.json.items.length === 0).toBe(true)
    },
  )

  it('goes on with a list nowhere but in its own collection', async () => {
    const token = (start: unknown) => Buffer.from(JSON.stringify({ v: 'continuo/1', rv: -1, start })).toString('base64url')
    for (const start of ['../secrets/', '', 7, null, '..'])
      expect((await api.call(`${configMaps}?limit=1&continue=${token(start)}`)).status).toBe(400)
    const list = await api.call(`${configMaps}?limit=1&continue=${token('zzz')}`)
    expect(list.json.items).toEqual([])
  })
})

describe('rights', () => {
  it.each(['exec', 'attach', 'portforward'])('%s needs the right to create, by GET too', (subresource) => {
    const path = parsePath(`/api/v1/namespaces/a/pods/b/${subresource}`)
    for (const method of ['GET', 'POST']) expect(verbOf(method, path, undefined)).toBe('create')
    expect(verbOf('GET', parsePath('/api/v1/namespaces/a/pods/b/log'), undefined)).toBe('get')
  })

  it('are asked for the one name that a selector leaves, and escapes do not forge one', () => {
    const named = (selector: string) => {
      const query = new URLSearchParams({ fieldSelector: selector })
      return attributesOf({ username: 'a' }, 'list', parsePath('/api/v1/namespaces/a/pods'), '', query).name
    }
    expect(named('metadata.name=a')).toBe('a')
    expect(named('metadata.name!=a')).toBe('')
    expect(named('xmetadata.name=a')).toBe('')
  })

  it('a selector that would forge a name is no selector', async () => {
    const forged = encodeURIComponent('spec.nodeName!=x\\,metadata.name=a')
    expect((await api.call(`/api/v1/namespaces/default/pods?fieldSelector=${forged}`)).status).toBe(400)
  })
})
