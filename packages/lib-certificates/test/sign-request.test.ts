import 'reflect-metadata'
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createAuthority,
  createSigningRequest,
  type KeyPair,
  readCertificateRequest,
  signCertificateRequest,
  verifyCertificateRequest,
} from '../src/index.ts'

const now = Date.parse('2030-01-01T00:00:00Z')
const dayMs = 86_400_000
const usages = ['digital signature', 'client auth']
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

let authority: KeyPair
beforeAll(async () => {
  authority = await createAuthority({ commonName: 'test', now, validDays: 10 })
})

const sign = (request: string, more: object = {}) =>
  signCertificateRequest(authority, request, { usages, now, notAfter: now + dayMs, ...more })

interface Wish {
  readonly name?: x509.JsonName
  readonly extensions?: x509.Extension[]
  readonly algorithm?: object
}

async function request({ name = [{ CN: ['ann'] }], extensions = [], algorithm = ecdsa }: Wish = {}): Promise<string> {
  const keys = (await webcrypto.subtle.generateKey(algorithm as typeof ecdsa, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const made = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm as typeof ecdsa, extensions })
  return made.toString('pem')
}

/** The same request with one bit of its bytes changed, counted from the end. */
function tampered(pem: string, fromEnd: number): string {
  const bytes = Buffer.from(x509.PemConverter.decode(pem)[0] as ArrayBuffer)
  bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] as number) ^ 1
  return x509.PemConverter.encode(bytes, 'CERTIFICATE REQUEST')
}

describe('a signed request', () => {
  it('is a certificate for its key, subject and names, by the authority', async () => {
    const { request: pem, privateKey } = await createSigningRequest({ commonName: 'ann', organizations: ['dev', 'ops'] })
    const certificate = new X509Certificate(await sign(pem))
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(privateKey))).toBe(true)
    expect(certificate.subject).toBe('O=dev\nO=ops\nCN=ann')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.validToDate.getTime()).toBe(now + dayMs)
  })

  it('bears the alternative names that were asked for', async () => {
    const names = [
      { type: 'dns' as const, value: 'a.example' },
      { type: 'ip' as const, value: '10.0.0.1' },
    ]
    const pem = await request({ extensions: [new x509.SubjectAlternativeNameExtension(names)] })
    expect(readCertificateRequest(pem).names).toEqual(names)
    expect(new X509Certificate(await sign(pem)).subjectAltName).toBe('DNS:a.example, IP Address:10.0.0.1')
  })

  it('is never an authority, whatever it asks for', async () => {
    const pem = await request({
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    const certificate = new x509.X509Certificate(await sign(pem))
    expect(certificate.getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false)
    expect(certificate.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature)
  })

  it('ends with the authority at the latest', async () => {
    const { request: pem } = await createSigningRequest({ commonName: 'ann' })
    const certificate = new X509Certificate(await sign(pem, { notAfter: now + 1000 * dayMs }))
    expect(certificate.validToDate).toEqual(new X509Certificate(authority.certificate).validToDate)
  })
})

describe('a request is not signed', () => {
  it('when it does not prove to have the key', async () => {
    const { request: pem } = await createSigningRequest({ commonName: 'ann' })
    const changed = tampered(pem, 5)
    expect(await verifyCertificateRequest(changed)).toBe(false)
    await expect(sign(changed)).rejects.toMatchObject({ code: 'CERT_REFUSED' })
  })

  it('when its subject was changed after it was signed', async () => {
    const { request: pem } = await createSigningRequest({ commonName: 'system:node:a', organizations: ['system:nodes'] })
    const bytes = Buffer.from(x509.PemConverter.decode(pem)[0] as ArrayBuffer)
    bytes.write('b', bytes.indexOf('system:node:a') + 'system:node:'.length)
    const changed = x509.PemConverter.encode(bytes, 'CERTIFICATE REQUEST')
    expect(readCertificateRequest(changed).commonNames).toEqual(['system:node:b'])
    await expect(sign(changed)).rejects.toMatchObject({ code: 'CERT_REFUSED' })
  })

  it('when it bears two common names, of which readers take one or the other', async () => {
    await expect(sign(await request({ name: [{ CN: ['ann'] }, { CN: ['root'] }] }))).rejects.toMatchObject({ code: 'CERT_REFUSED' })
  })

  it('when its key is weak', async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 1024 }
    await expect(sign(await request({ algorithm }))).rejects.toMatchObject({ code: 'CERT_REFUSED' })
  })

  it('for a usage that nobody knows', async () => {
    const { request: pem } = await createSigningRequest({ commonName: 'ann' })
    await expect(sign(pem, { usages: ['everything'] })).rejects.toMatchObject({ code: 'CERT_REFUSED' })
  })

  it.each([
    ['nothing', ''],
    ['another block', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['bytes of nothing', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'],
  ])('when it is %s', async (_what, pem) => {
    expect(() => readCertificateRequest(pem)).toThrow(expect.objectContaining({ code: 'CERT_INVALID' }))
    await expect(sign(pem)).rejects.toMatchObject({ code: 'CERT_INVALID' })
  })

  it('when there are two of them', async () => {
    const { request: pem } = await createSigningRequest({ commonName: 'ann' })
    expect(() => readCertificateRequest(`${pem}${pem}`)).toThrow(expect.objectContaining({ code: 'CERT_INVALID' }))
  })
})
