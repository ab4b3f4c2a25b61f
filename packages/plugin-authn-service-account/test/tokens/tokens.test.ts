import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { Node, Pod, Secret, ServiceAccount } from '@continuo/workload'
import { CompactSign, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../control-plane.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const unauthorized = (why: string) => ({ reason: 'Unauthorized', status: 401, message: expect.stringContaining(why) })

const pod = (name: string, serviceAccountName: string, nodeName?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { serviceAccountName, containers: [{ name: 'c', image: 'x' }], ...(nodeName === undefined ? {} : { nodeName }) },
})
const toPod = (name: string, uid?: string) => ({
  boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, ...(uid === undefined ? {} : { uid }) },
})

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

describe('a token', () => {
  it('makes its bearer the service account', async () => {
    const plane = await startControlPlane()
    const { metadata } = await plane.account('robot')
    const { spec, status } = await plane.request('robot')
    expect(spec).toMatchObject({ audiences: [issuer], expirationSeconds: 3_600 })
    expect(Date.parse(status?.expirationTimestamp ?? '')).toBeGreaterThan(Date.now() + 3_500_000)
    expect(await plane.user(status?.token ?? '')).toEqual({
      username: 'system:serviceaccount:default:robot',
      uid: metadata.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[\da-f-]{36}$/)] },
    })
  })

  it('has the claims of Kubernetes, and is verified by the published keys alone', async () => {
    const plane = await startControlPlane()
    const { metadata } = await plane.account('robot')
    const token = await plane.token('robot', { audiences: ['vault'], expirationSeconds: 900 })
    const { payload } = await jwtVerify(token, createLocalJWKSet(await plane.document('openid/v1/jwks')), { issuer, audience: 'vault' })
    expect(payload).toMatchObject({
      sub: 'system:serviceaccount:default:robot',
      'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'robot', uid: metadata.uid } },
    })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900)
    expect(await plane.document('.well-known/openid-configuration')).toEqual({
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    expect(Object.keys((await plane.document('openid/v1/jwks')).keys[0]).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it('names the pod that it is bound to, and its node', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    const node = await plane.client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    const { metadata } = await plane.client.for(Pod).create(pod('web', 'robot', 'n1'))
    expect((await plane.user(await plane.token('robot', toPod('web', metadata.uid))))?.extra).toMatchObject({
      'authentication.kubernetes.io/pod-name': ['web'],
      'authentication.kubernetes.io/pod-uid': [metadata.uid],
      'authentication.kubernetes.io/node-name': ['n1'],
      'authentication.kubernetes.io/node-uid': [node.metadata.uid],
    })
  })
})

describe('a request for a token is refused', () => {
  it.each<[string, string, object, object]>([
    ['for no account', 'nobody', {}, { reason: 'NotFound', message: 'serviceaccounts "nobody" not found' }],
    [
      'for less than ten minutes',
      'robot',
      { expirationSeconds: 60 },
      {
        reason: 'Invalid',
        message:
          'TokenRequest.authentication.k8s.io "robot" is invalid: spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
      },
    ],
    ['for a pod that is not there', 'robot', toPod('gone'), { reason: 'NotFound', message: 'pods "gone" not found' }],
    [
      'for a pod of another account',
      'robot',
      toPod('other'),
      { reason: 'BadRequest', message: expect.stringContaining('different serviceaccount') },
    ],
    ['for a pod that is another by now', 'robot', toPod('web', 'old'), { reason: 'Conflict', message: expect.stringContaining('(old)') }],
    [
      'for an object of another kind',
      'robot',
      { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } },
      { reason: 'BadRequest', message: 'cannot bind token to object of type v1, Kind=ConfigMap' },
    ],
  ])('%s', async (_name, account, spec, refusal) => {
    const plane = await startControlPlane()
    await plane.account('robot')
    await plane.account('boss')
    await plane.client.for(Pod).create(pod('web', 'robot'))
    await plane.client.for(Pod).create(pod('other', 'boss'))
    await expect(plane.request(account, spec)).rejects.toMatchObject(refusal)
  })

  it('in the name of another account', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    await expect(plane.request('robot', {}, 'boss')).rejects.toMatchObject({ reason: 'BadRequest' })
  })
})

it('lets no token live longer than the configuration says', async () => {
  const plane = await startControlPlane({ config: { maxSeconds: 7_200 } })
  await plane.account('robot')
  expect((await plane.request('robot', { expirationSeconds: 86_400 })).spec?.expirationSeconds).toBe(7_200)
})

describe('a token is over', () => {
  it('when its time has passed', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    const token = await plane.token('robot', { expirationSeconds: 600 })
    plane.pass(590)
    await plane.user(token)
    plane.pass(11)
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('expired'))
  })

  it('when its account is gone, and does not come back with another of that name', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    const token = await plane.token('robot')
    await plane.user(token)
    await plane.client.for(ServiceAccount).delete('default/robot')
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('serviceaccount "default/robot" does not exist'))
    await plane.account('robot')
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('another one by now'))
  })

  it('when its pod is gone, and a minute after it was told to go', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    await plane.client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    await plane.client.for(Pod).create(pod('web', 'robot', 'n1'))
    const token = await plane.token('robot', toPod('web'))
    await plane.client.for(Pod).delete('default/web', { gracePeriodSeconds: 30 })
    await plane.user(token)
    plane.pass(100)
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('has been deleted'))
    await plane.client.for(Pod).delete('default/web', { gracePeriodSeconds: 0 })
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('pod "default/web" does not exist'))
  })

  it('when its secret or node is gone', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    await plane.client.for(Secret).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' } })
    await plane.client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    const bySecret = await plane.token('robot', { boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name: 's' } })
    const byNode = await plane.token('robot', { boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: 'n1' } })
    await plane.user(bySecret)
    await plane.user(byNode)
    await plane.client.for(Secret).delete('default/s')
    await plane.client.for(Node).delete('n1')
    await expect(plane.user(bySecret)).rejects.toMatchObject(unauthorized('secret "default/s" does not exist'))
    await expect(plane.user(byNode)).rejects.toMatchObject(unauthorized('node "n1" does not exist'))
  })
})

describe('a token for others', () => {
  it('is not good for the API', async () => {
    const plane = await startControlPlane()
    await plane.account('robot')
    const token = await plane.token('robot', { audiences: ['vault'] })
    await expect(plane.user(token)).rejects.toMatchObject(unauthorized('audiences'))
    expect((await plane.user(token, ['other', 'vault']))?.username).toBe('system:serviceaccount:default:robot')
    await expect(plane.user(token, ['other'])).rejects.toMatchObject(unauthorized('audiences'))
  })
})

describe('a forged token is refused:', () => {
  const forge = async (how: (plane: ControlPlane, token: string) => string | Promise<string>) => {
    const plane = await startControlPlane()
    await plane.account('robot')
    await plane.account('boss')
    const token = await plane.token('robot')
    await plane.user(token)
    return plane.user(await how(plane, token))
  }
  const halves = (token: string): [string, string, string] => token.split('.') as [string, string, string]

  it('changed claims', async () => {
    await expect(
      forge((_plane, token) => {
        const [header, , signature] = halves(token)
        return `${header}.${part({ ...decodeJwt(token), sub: 'system:serviceaccount:default:boss' })}.${signature}`
      }),
    ).rejects.toMatchObject(unauthorized('signature'))
  })

  it.each(['', 'x'])('alg none, with the signature %j', async (signature) => {
    await expect(
      forge((_plane, token) => `${part({ ...decodeProtectedHeader(token), alg: 'none' })}.${halves(token)[1]}.${signature}`),
    ).rejects.toMatchObject(unauthorized(''))
  })

  it('the public key as a shared secret', async () => {
    await expect(
      forge(async (plane, token) => {
        const [jwk] = (await plane.document('openid/v1/jwks')).keys
        const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
        const text = `${part({ alg: 'HS256', kid: jwk.kid })}.${halves(token)[1]}`
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`
      }),
    ).rejects.toMatchObject(unauthorized('signed by no key'))
  })

  it('another key under the name of ours', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await expect(
      forge((_plane, token) =>
        new CompactSign(Buffer.from(JSON.stringify(decodeJwt(token))))
          .setProtectedHeader({ alg: 'ES256', kid: decodeProtectedHeader(token).kid as string })
          .sign(privateKey),
      ),
    ).rejects.toMatchObject(unauthorized('signature'))
  })

  it('a key that it brings itself', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await expect(
      forge((_plane, token) =>
        new CompactSign(Buffer.from(JSON.stringify(decodeJwt(token))))
          .setProtectedHeader({ alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) as never })
          .sign(privateKey),
      ),
    ).rejects.toMatchObject(unauthorized('signed by no key'))
  })
})

it('leaves credentials of others to others', async () => {
  const plane = await startControlPlane()
  for (const token of ['opaque', 'a.b.c', `${part({ alg: 'none' })}.${part({ iss: 'https://else' })}.x`, 'x'.repeat(20_000)])
    expect(await plane.user(token), token.slice(0, 40)).toBeUndefined()
})
