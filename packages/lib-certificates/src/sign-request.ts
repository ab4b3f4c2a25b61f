import { X509Certificate } from 'node:crypto'
import { algorithm, backdateMs, importKey, type KeyPair, pemOf } from './authority.ts'
import { CertificateError } from './certificate-error.ts'
import { parseRequest, readCertificateRequest, verifyCertificateRequest } from './certificate-request.ts'
import { subjectOf } from './inspect.ts'
import { keyUsagesOf } from './key-usages.ts'
import { loadX509 } from './load-x509.ts'

export interface SignOptions {
  /** Words of `certificates.k8s.io`, as `client auth`. */
  readonly usages: readonly string[]
  /** Wall milliseconds. */
  readonly now: number
  /** Wall milliseconds; never later than the end of the authority. */
  readonly notAfter: number
}

/** RSA keys that are neither weak nor made to keep verifiers busy. */
const rsaBits = { min: 2048, max: 8192 }

const refused = (why: string): CertificateError =>
  new CertificateError('CERT_REFUSED', `the request for a certificate cannot be signed: ${why}`, { hint: 'make a new request' })

/**
 * A certificate (PEM) for the key, the subject and the alternative names of a request; never one for an authority, whatever is asked.
 * Whether these may be had is for the caller to know. Throws `CERT_INVALID`, and `CERT_REFUSED` for a request that does not prove
 * to have the key, whose key is too weak, whose usages are unknown, or whose subject readers would understand in two ways.
 */
export async function signCertificateRequest(authority: KeyPair, pem: string, options: SignOptions): Promise<string> {
  const x509 = loadX509()
  const facts = readCertificateRequest(pem)
  const request = parseRequest(pem)
  const usages = keyUsagesOf(options.usages)
  if (usages === undefined) throw refused('one of the usages is unknown')
  if (facts.commonNames.length > 1) throw refused('it bears several common names')
  if (!(await verifyCertificateRequest(pem))) throw refused('its signature is not that of its key')
  const [issuer, signingKey] = [new x509.X509Certificate(authority.certificate), await importKey(authority.privateKey)]
  const names = request.getExtension('2.5.29.17')
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(Math.min(options.notAfter, issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(usages.flags === 0 ? [] : [new x509.KeyUsagesExtension(usages.flags, true)]),
      ...(usages.purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages.purposes])]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names === null ? [] : [new x509.SubjectAlternativeNameExtension(names.rawData)]),
    ],
  })
  const signed = pemOf(certificate)
  checkAsReadersDo(signed, facts)
  return signed
}

/** Servers read certificates by another parser than the one that wrote this: what they will see must be what was asked for. */
function checkAsReadersDo(
  pem: string,
  facts: { readonly commonNames: readonly string[]; readonly organizations: readonly string[] },
): void {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch {
    throw refused('its key or its subject cannot be read')
  }
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (asymmetricKeyType === 'rsa' && (bits < rsaBits.min || bits > rsaBits.max))
    throw refused(`an RSA key must have ${rsaBits.min} to ${rsaBits.max} bits`)
  const subject = subjectOf(certificate)
  const same =
    subject.commonName === (facts.commonNames[0] ?? '') &&
    JSON.stringify(subject.organizations ?? []) === JSON.stringify(facts.organizations)
  if (!same) throw refused('its subject is ambiguous')
}
