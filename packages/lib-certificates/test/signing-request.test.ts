import 'reflect-metadata'
import { createHash } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import { createAuthority, createSigningRequest, publicKeyPin } from '../src/index.ts'

const now = Date.parse('2030-01-01T00:00:00Z')

describe('requests for certificates', () => {
  it('name the subject, groups first, and prove to have the key', async () => {
    const { request, privateKey } = await createSigningRequest({ commonName: 'system:node:one', organizations: ['system:nodes'] })
    const read = new x509.Pkcs10CertificateRequest(request)
    expect(read.subject).toBe('O=system:nodes, CN=system:node:one')
    expect(await read.verify()).toBe(true)
    expect(privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----/)
  })
})

describe('pins', () => {
  it('are the hash of the public key, whatever else the certificate says', async () => {
    const { certificate } = await createAuthority({ commonName: 'one', now, validDays: 1 })
    const spki = Buffer.from(new x509.X509Certificate(certificate).publicKey.rawData)
    expect(publicKeyPin(certificate)).toBe(`sha256:${createHash('sha256').update(spki).digest('hex')}`)
  })

  it('are not made of what is no certificate', () => {
    expect(() => publicKeyPin('nothing')).toThrow(expect.objectContaining({ code: 'CERT_INVALID' }))
  })
})
