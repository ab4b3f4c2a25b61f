import { Secret } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { bootstrapUser, parseBootstrapToken } from '../../src/bootstrap/bootstrap-token.ts'
import { bootstrapTokens } from '../../src/index.ts'
import { startControlPlane } from '../control-plane.ts'

const encode = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
const good = {
  'token-id': 'abcdef',
  'token-secret': '0123456789abcdef',
  'usage-bootstrap-authentication': 'true',
  'auth-extra-groups': 'system:bootstrappers:workers',
}
const secret = (data: Record<string, string>, more: Partial<Secret> = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
  type: 'bootstrap.kubernetes.io/token',
  data: encode(data),
  ...more,
})
const token = { id: 'abcdef', secret: '0123456789abcdef' }

describe('bootstrapUser', () => {
  it('is a bootstrapper with the groups of the secret', () => {
    expect(bootstrapUser(secret(good), token, 0)).toEqual({
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:workers'],
    })
  })

  it.each<[string, Secret]>([
    ['another secret', secret({ ...good, 'token-secret': 'fedcba9876543210' })],
    ['no secret', secret({ ...good, 'token-secret': '' })],
    ['another id', secret({ ...good, 'token-id': 'fedcba' })],
    ['an expired one', secret({ ...good, expiration: '1969-12-31T23:59:59Z' })],
    ['a time that cannot be read', secret({ ...good, expiration: 'soon' })],
    ['no leave to authenticate', secret({ ...good, 'usage-bootstrap-authentication': 'false' })],
    ['a group that is not for bootstrappers', secret({ ...good, 'auth-extra-groups': 'system:masters' })],
    ['a secret of another type', secret(good, { type: 'Opaque' })],
    ['a secret of another name', secret(good, { metadata: { name: 'x', namespace: 'kube-system' } })],
  ])('is nobody for %s', (_name, object) => {
    expect(bootstrapUser(object, token, 0)).toBeUndefined()
  })
})

it('reads tokens strictly', () => {
  expect(parseBootstrapToken('abcdef.0123456789abcdef')).toEqual(token)
  for (const text of ['abcdef', 'ABCDEF.0123456789abcdef', 'abcdef.0123456789abcde', 'abcdef.0123456789abcdef0', 'abcde/.0123456789abcdef'])
    expect(parseBootstrapToken(text), text).toBeUndefined()
})

it('recognises a token while its secret is there', async () => {
  const plane = await startControlPlane({ more: { bootstrap: bootstrapTokens } })
  const text = 'abcdef.0123456789abcdef'
  await expect(plane.user(text)).rejects.toMatchObject({ status: 401 })
  await plane.client.for(Secret).create(secret(good))
  expect((await plane.user(text))?.username).toBe('system:bootstrap:abcdef')
  await expect(plane.user('abcdef.fedcba9876543210')).rejects.toMatchObject({ status: 401 })
  expect(await plane.user(text, ['vault'])).toBeUndefined()
  await plane.client.for(Secret).delete('kube-system/bootstrap-token-abcdef')
  await expect(plane.user(text)).rejects.toMatchObject({ status: 401 })
})
