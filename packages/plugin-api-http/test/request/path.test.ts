import { describe, expect, it } from 'vitest'
import { parsePath } from '../../src/request/path.ts'

const resource = (path: string) => {
  const parsed = parsePath(path)
  if (!parsed.isResource) throw new TypeError(`${path} names no resource`)
  const { isResource: _, ...rest } = parsed
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== '' && value !== false))
}

describe('parsePath', () => {
  it.each([
    ['/api/v1/namespaces/a/pods/b', { version: 'v1', namespace: 'a', within: true, resource: 'pods', name: 'b' }],
    ['/api/v1/pods', { version: 'v1', resource: 'pods' }],
    ['/api/v1/pods/', { version: 'v1', resource: 'pods' }],
    ['/api/v1/namespaces', { version: 'v1', resource: 'namespaces' }],
    ['/api/v1/namespaces/a', { version: 'v1', namespace: 'a', resource: 'namespaces', name: 'a' }],
    ['/api/v1/namespaces/a/finalize', { version: 'v1', namespace: 'a', resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    [
      '/apis/apps/v1/namespaces/a/deployments/b/scale',
      { group: 'apps', version: 'v1', namespace: 'a', within: true, resource: 'deployments', name: 'b', subresource: 'scale' },
    ],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
      { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles', name: 'system:node' },
    ],
    ['/api/v1/watch/namespaces/a/pods/b', { version: 'v1', namespace: 'a', within: true, resource: 'pods', name: 'b', watch: true }],
    ['/api/v1/nodes/n/proxy', { version: 'v1', resource: 'nodes', name: 'n', subresource: 'proxy' }],
    ['/api/v1/nodes/n/proxy/', { version: 'v1', resource: 'nodes', name: 'n', subresource: 'proxy', rest: '/' }],
    ['/api/v1/nodes/n/proxy/a%2Fb//c/', { version: 'v1', resource: 'nodes', name: 'n', subresource: 'proxy', rest: '/a%2Fb//c/' }],
  ])('reads %s', (path, expected) => {
    expect(resource(path)).toEqual(expected)
  })

  it.each(['/', '/healthz', '/readyz/ping', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/openapi/v3/apis/apps/v1'])(
    'leaves %s to others',
    (path) => {
      expect(parsePath(path)).toEqual({ isResource: false, segments: path.split('/').filter((part) => part !== '') })
    },
  )

  it.each([
    '/api/v1/namespaces/../secrets',
    '/api/v1/namespaces/%2e%2e/secrets',
    '/api/v1/namespaces/./pods',
    '/api/v1/namespaces/a%2fb/pods',
    '/api/v1/namespaces/a%5cb/pods',
    '/api/v1/namespaces/a%00b/pods',
    '/api/v1/namespaces/a%0ab/pods',
    '/api/v1//pods',
    '//api/v1/pods',
    '/api/v1/pods/%zz',
    '/api/v1/pods/%ff',
    '/api/v1/nodes/n/proxy/../../secrets',
    '/api/v1/nodes/n/proxy/%2e%2e/secrets',
    '/api/v1/nodes/n/proxy/a%2f..%2fsecrets',
    '*',
    'http://evil/api/v1/pods',
    `/api/v1/pods/${'x'.repeat(9_000)}`,
  ])('refuses %s', (path) => {
    expect(() => parsePath(path)).toThrow(/^the path of the request is not allowed/)
  })
})
