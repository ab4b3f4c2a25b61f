import { webcrypto } from 'node:crypto'
import type { X509Certificate } from '@peculiar/x509'
import { CertificateError } from './certificate-error.ts'
import { loadX509 } from './load-x509.ts'
import { distinguishedName, type Subject } from './subject.ts'

/** A certificate with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string
  /** PKCS #8. */
  readonly privateKey: string
}

export interface AuthorityOptions {
  readonly commonName: string
  /** Wall time in milliseconds. */
  readonly now: number
  readonly validDays: number
}

export interface LeafOptions {
  readonly subject: Subject
  /** `server` certificates need `names`; a `peer` is both. */
  readonly usage: 'server' | 'client' | 'peer'
  /** DNS names and IP addresses. */
  readonly names?: readonly string[]
  readonly now: number
  readonly validDays: number
}

export const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000
/** Certificates begin a little in the past, so that a client whose clock is behind accepts them. */
export const backdateMs = 5 * 60_000
const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'
const ipPattern = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$/i

export const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

export async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${loadX509().PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

export async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  try {
    const [der] = loadX509().PemConverter.decode(pem)
    return await webcrypto.subtle.importKey('pkcs8', der as ArrayBuffer, algorithm, false, ['sign'])
  } catch (cause) {
    throw new CertificateError('CERT_INVALID', 'the private key of the certificate authority cannot be read', {
      hint: 'it must be an ECDSA P-256 key in PKCS #8 PEM form',
      cause,
    })
  }
}

export const pemOf = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`

/** The names as a subject alternative name extension holds them: addresses and DNS names apart. */
export const alternativeNames = (names: readonly string[]): { readonly type: 'dns' | 'ip'; readonly value: string }[] =>
  names.map((value) => ({ type: ipPattern.test(value) ? ('ip' as const) : ('dns' as const), value }))

/** Makes a self-signed certificate authority: ECDSA P-256, allowed to sign certificates and nothing below another authority. */
export async function createAuthority(options: AuthorityOptions): Promise<KeyPair> {
  const x509 = loadX509()
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: distinguishedName({ commonName: options.commonName }),
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(options.now + options.validDays * dayMs),
    signingAlgorithm: algorithm,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pemOf(certificate), privateKey: await exportKey(keys.privateKey) }
}

/** Makes a key and a certificate for it, signed by the authority. Throws `CERT_INVALID` when the authority's key is none. */
export async function issueCertificate(authority: KeyPair, options: LeafOptions): Promise<KeyPair> {
  const x509 = loadX509()
  const [keys, signingKey] = await Promise.all([generateKeys(), importKey(authority.privateKey)])
  const issuer = new x509.X509Certificate(authority.certificate)
  const usages = options.usage === 'server' ? [serverAuth] : options.usage === 'client' ? [clientAuth] : [serverAuth, clientAuth]
  const certificate = await x509.X509CertificateGenerator.create({
    subject: distinguishedName(options.subject),
    issuer: issuer.subjectName,
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(Math.min(options.now + options.validDays * dayMs, issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(options.names === undefined || options.names.length === 0
        ? []
        : [new x509.SubjectAlternativeNameExtension(alternativeNames(options.names))]),
    ],
  })
  return { certificate: pemOf(certificate), privateKey: await exportKey(keys.privateKey) }
}
