import { ApiError } from '@continuo/core'
import type { AccessAttributes, Authenticator, Authorizer } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { anonymous, authenticate } from '../../src/access/authenticate.ts'
import { authorize } from '../../src/access/authorize.ts'
import { impersonatedUser, impersonationAttributes } from '../../src/access/impersonate.ts'

const certificate = { commonName: 'ann', organizations: ['ops'] }
const request = { headers: {}, remoteAddress: '127.0.0.1' }

describe('authenticate', () => {
  it('takes the user and groups from the certificate', () => {
    expect(authenticate({ ...request, certificate }, [])).toEqual({ username: 'ann', groups: ['ops', 'system:authenticated'] })
  })

  it('is anonymous without credentials', async () => {
    expect(await authenticate(request, [])).toBe(anonymous)
  })

  it('refuses a token that nobody knows, also beside others', async () => {
    await expect(authenticate({ ...request, headers: { authorization: 'Bearer x' } }, [])).rejects.toMatchObject({ status: 401 })
  })

  it('asks authenticators in the order of their keys; the first answer counts', async () => {
    const says = (username: string): Authenticator => ({ authenticate: () => ({ username }) })
    const silent: Authenticator = { authenticate: () => undefined }
    const user = await authenticate({ ...request, headers: { authorization: 'Bearer x' } }, [
      ['c', says('c')],
      ['a', silent],
      ['b', says('b')],
    ])
    expect(user).toEqual({ username: 'b', groups: ['system:authenticated'] })
  })

  it('passes the refusal of an authenticator on', async () => {
    const expired: Authenticator = {
      authenticate: () => {
        throw new ApiError('Unauthorized', 'token expired')
      },
    }
    await expect(authenticate({ ...request, headers: { authorization: 'Bearer x' } }, [['a', expired]])).rejects.toThrow('token expired')
  })
})

const attributes = (over: Partial<AccessAttributes>): AccessAttributes => ({
  user: { username: 'ann', groups: ['system:authenticated'] },
  verb: 'list',
  isResource: true,
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  subresource: '',
  namespace: 'shop',
  name: '',
  path: '/apis/apps/v1/namespaces/shop/deployments',
  ...over,
})
const path = (path: string, user = anonymous): AccessAttributes => attributes({ isResource: false, verb: 'get', path, user })
const says = (decision: 'allow' | 'deny' | 'none', reason?: string): Authorizer => ({
  authorize: () => ({ decision, ...(reason === undefined ? {} : { reason }) }),
})

describe('authorize', () => {
  it('allows authenticated users by default and the anonymous only health and version', () => {
    expect(authorize(attributes({}), [], 'AlwaysAllow')).toBeUndefined()
    for (const open of ['/healthz', '/livez/ping', '/readyz', '/version']) expect(authorize(path(open), [], 'AlwaysDeny')).toBeUndefined()
    for (const closed of ['/metrics', '/api', '/', '/healthzz'])
      expect(() => authorize(path(closed), [], 'AlwaysAllow')).toThrow(`cannot get path "${closed}"`)
    expect(() => authorize(attributes({ user: anonymous }), [], 'AlwaysAllow')).toThrow(/system:anonymous/)
  })

  it('lets masters pass whatever others say', () => {
    const user = { username: 'root', groups: ['system:masters'] }
    expect(authorize(attributes({ user }), [['a', says('deny')]], 'AlwaysDeny')).toBeUndefined()
  })

  it('follows the first authorizer that decides', async () => {
    await authorize(
      attributes({}),
      [
        ['b', says('deny')],
        ['a', says('allow')],
      ],
      'AlwaysDeny',
    )
    const refusal = {
      status: 403,
      message:
        'deployments.apps is forbidden: User "ann" cannot list resource "deployments" in API group "apps" in the namespace "shop": because',
      details: { group: 'apps', kind: 'deployments' },
    }
    const chain = (late: boolean): [string, Authorizer][] => [
      ['a', says('none', 'perhaps')],
      ['b', late ? { authorize: async (asked) => says('deny', 'because').authorize(asked) } : says('deny', 'because')],
    ]
    expect(() => authorize(attributes({}), chain(false), 'AlwaysAllow')).toThrow(expect.objectContaining(refusal))
    await expect(authorize(attributes({}), chain(true), 'AlwaysAllow')).rejects.toMatchObject(refusal)
  })

  it('goes on after a slow authorizer without an opinion', async () => {
    const slow: Authorizer = { authorize: async () => ({ decision: 'none' }) }
    expect(
      await authorize(
        attributes({}),
        [
          ['a', slow],
          ['b', says('allow')],
        ],
        'AlwaysDeny',
      ),
    ).toBeUndefined()
  })

  it('words a refused object at the cluster scope', () => {
    expect(() =>
      authorize(
        attributes({ group: '', resource: 'nodes', subresource: 'status', name: 'n1', namespace: '', verb: 'update' }),
        [],
        'AlwaysDeny',
      ),
    ).toThrow('nodes "n1" is forbidden: User "ann" cannot update resource "nodes/status" in API group "" at the cluster scope')
  })
})

describe('impersonation', () => {
  it('reads user, groups, uid and extras', () => {
    expect(
      impersonatedUser({
        'impersonate-user': 'bob',
        'impersonate-group': 'a, b',
        'impersonate-uid': '7',
        'impersonate-extra-scopes': 'view',
      }),
    ).toEqual({ username: 'bob', uid: '7', groups: ['a', 'b', 'system:authenticated'], extra: { scopes: ['view'] } })
  })

  it('decodes keys of extras, and takes broken encodings as they are', () => {
    expect(
      impersonatedUser({ 'impersonate-user': 'bob', 'impersonate-extra-example.com%2fa': '1', 'impersonate-extra-50%': '2' })?.extra,
    ).toEqual({
      'example.com/a': ['1'],
      '50%': ['2'],
    })
  })

  it('refuses groups without a user', () => {
    expect(() => impersonatedUser({ 'impersonate-group': 'system:masters' })).toThrow(/without a user/)
    expect(() => impersonatedUser({ 'impersonate-extra-x': 'y' })).toThrow(/without a user/)
  })

  it('asks for every part of the wanted identity', () => {
    const wanted = { username: 'system:serviceaccount:ns:sa', groups: ['g', 'system:authenticated'], extra: { k: ['v'] } }
    expect(
      impersonationAttributes({ username: 'ann' }, wanted).map(({ resource, namespace, name, subresource }) => [
        resource,
        namespace,
        name,
        subresource,
      ]),
    ).toEqual([
      ['serviceaccounts', 'ns', 'sa', ''],
      ['groups', '', 'g', ''],
      ['userextras', '', 'v', 'k'],
    ])
  })
})
