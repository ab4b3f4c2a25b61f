import { createSigningRequest } from '@continuo/lib-certificates'
import type { CertificateSigningRequest } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import type { Requested } from '../src/requests/requested.ts'
import { decideSigning } from '../src/signing/decide-signing.ts'
import { clientRule, nodeClientRule, nodeServingRule } from '../src/signing/signer-rules.ts'

const client = ['digital signature', 'key encipherment', 'client auth']
const serving = ['digital signature', 'key encipherment', 'server auth']
const node: Requested = { commonNames: ['system:node:a'], organizations: ['system:nodes'], names: [], usages: client }
const dns = [{ type: 'dns' as const, value: 'a' }]

describe('a client certificate of a node', () => {
  it.each<[string, Partial<Requested>, string | undefined]>([
    ['as kubelets ask for it', {}, undefined],
    ['of a key that enciphers none', { usages: ['client auth', 'digital signature'] }, undefined],
    ['of another group', { organizations: ['system:masters'] }, 'subject organization is not system:nodes'],
    ['of one more group', { organizations: ['system:nodes', 'system:masters'] }, 'subject organization is not system:nodes'],
    ['of no group', { organizations: [] }, 'subject organization is not system:nodes'],
    ['of nobody', { commonNames: [] }, 'subject common name does not begin with system:node:'],
    ['of a node without a name', { commonNames: ['system:node:'] }, 'subject common name does not begin with system:node:'],
    ['of somebody else', { commonNames: ['admin'] }, 'subject common name does not begin with system:node:'],
    ['of two names', { commonNames: ['system:node:a', 'admin'] }, 'subject common name does not begin with system:node:'],
    ['that names a host', { names: dns }, 'DNS subjectAltNames are not allowed'],
    ['that names what nobody knows', { names: [{ type: 'other', value: 'x' }] }, 'other subjectAltNames are not allowed'],
    ['for servers', { usages: serving }, 'usages did not match [key encipherment digital signature client auth]'],
    ['for one thing more', { usages: [...client, 'server auth'] }, 'usages did not match [key encipherment digital signature client auth]'],
    ['for too little', { usages: ['client auth'] }, 'usages did not match [key encipherment digital signature client auth]'],
  ])('%s', (_what, difference, fault) => {
    expect(nodeClientRule({ ...node, ...difference })).toBe(fault)
  })
})

describe('a serving certificate of a node', () => {
  const server = { ...node, usages: serving, names: dns }
  it.each<[string, Partial<Requested>, string | undefined]>([
    ['as kubelets ask for it', {}, undefined],
    ['of an address', { names: [{ type: 'ip', value: '10.0.0.1' }] }, undefined],
    ['of no name', { names: [] }, 'DNS or IP subjectAltName is required'],
    ['of a mailbox too', { names: [...dns, { type: 'email', value: 'a@b' }] }, 'email subjectAltNames are not allowed'],
    ['of a URI too', { names: [...dns, { type: 'uri', value: 'spiffe://a' }] }, 'URI subjectAltNames are not allowed'],
    ['for clients', { usages: client }, 'usages did not match [key encipherment digital signature server auth]'],
    ['of somebody else', { commonNames: ['api'] }, 'subject common name does not begin with system:node:'],
  ])('%s', (_what, difference, fault) => {
    expect(nodeServingRule({ ...server, ...difference })).toBe(fault)
  })
})

describe('a client certificate', () => {
  it.each([
    [['client auth'], true],
    [client, true],
    [['digital signature'], false],
    [['client auth', 'server auth'], false],
    [['client auth', 'cert sign'], false],
  ])('for %j', (usages, allowed) => {
    expect(clientRule({ ...node, usages }) === undefined).toBe(allowed)
  })
})

describe('what is signed', () => {
  const policy = { signers: new Set(['kubernetes.io/kube-apiserver-client']), maxSeconds: 86_400 }
  const request = (types: readonly string[], spec: object = {}, status: object = {}): CertificateSigningRequest =>
    ({
      metadata: { name: 'r' },
      spec: { signerName: 'kubernetes.io/kube-apiserver-client', request: '', usages: ['client auth'], ...spec },
      status: { conditions: types.map((type) => ({ type, status: 'True' })), ...status },
    }) as unknown as CertificateSigningRequest

  it.each<[string, CertificateSigningRequest]>([
    ['nobody decided about', request([])],
    ['was denied', request(['Denied'])],
    ['was approved and denied', request(['Approved', 'Denied'])],
    ['failed', request(['Approved', 'Failed'])],
    ['was signed', request(['Approved'], {}, { certificate: 'x' })],
    ['is of another signer', request(['Approved'], { signerName: 'example.com/own' })],
    ['is being deleted', { ...request(['Approved']), metadata: { name: 'r', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ])('is nothing that %s', (_what, one) => {
    expect(decideSigning(one, policy)).toEqual({ type: 'none' })
  })

  it.each([
    [undefined, 86_400],
    [3600, 3600],
    [60, 600],
    [1_000_000, 86_400],
  ])('is valid as long as was asked for, between ten minutes and the longest time: %s s', async (expirationSeconds, seconds) => {
    const pem = (await createSigningRequest({ commonName: 'ann' })).request
    const one = request(['Approved'], { request: Buffer.from(pem).toString('base64'), expirationSeconds })
    expect(decideSigning(one, policy)).toEqual({ type: 'sign', seconds })
  })

  it('is nothing that cannot be read', () => {
    expect(decideSigning(request(['Approved'], { request: 'bm9uZQ==' }), policy)).toMatchObject({ type: 'refuse' })
  })
})
