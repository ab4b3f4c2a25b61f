import type { Pkcs10CertificateRequest } from '@peculiar/x509'
import { CertificateError } from './certificate-error.ts'
import { loadX509 } from './load-x509.ts'

/** One subject alternative name. What is none of these four is `other`. */
export interface AlternativeName {
  readonly type: 'dns' | 'email' | 'ip' | 'uri' | 'other'
  readonly value: string
}

/** Whom a request for a certificate (PKCS #10) wants it for. */
export interface RequestFacts {
  /** One, or the request is for nobody or ambiguous. */
  readonly commonNames: readonly string[]
  readonly organizations: readonly string[]
  readonly names: readonly AlternativeName[]
}

const pemPattern = /^\s*-----BEGIN CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----\s*$/
const extensionRequest = '1.2.840.113549.1.9.14'
const nameTypes = { dns: 'dns', email: 'email', ip: 'ip', url: 'uri' } as const

const invalid = (what: string, cause?: unknown): CertificateError =>
  new CertificateError('CERT_INVALID', `the request for a certificate ${what}`, {
    hint: 'it must be one PKCS #10 request in PEM form',
    cause,
  })

/** The one request in the text, in the library's form. Throws `CERT_INVALID`. */
export function parseRequest(pem: string): Pkcs10CertificateRequest {
  // One block and nothing beside it: what is looked at is what is signed.
  if (!pemPattern.test(pem)) throw invalid('is not in PEM form')
  const x509 = loadX509()
  try {
    const [der] = x509.PemConverter.decode(pem)
    return new x509.Pkcs10CertificateRequest(der as ArrayBuffer)
  } catch (cause) {
    throw invalid('cannot be read', cause)
  }
}

/** What a request in PEM form asks for. Its signature is not looked at. Throws `CERT_INVALID`. */
export function readCertificateRequest(pem: string): RequestFacts {
  const request = parseRequest(pem)
  const x509 = loadX509()
  try {
    if (request.getAttributes(extensionRequest).length > 1) throw invalid('asks twice for extensions')
    const extensions = request.getExtensions('2.5.29.17')
    if (extensions.length > 1) throw invalid('has two lists of alternative names')
    const [names] = extensions
    return {
      commonNames: request.subjectName.getField('CN'),
      organizations: request.subjectName.getField('O'),
      names: names === undefined ? [] : namesOf(new x509.SubjectAlternativeNameExtension(names.rawData)),
    }
  } catch (cause) {
    throw cause instanceof CertificateError ? cause : invalid('cannot be read', cause)
  }
}

const namesOf = (extension: { readonly names: { toJSON(): readonly { type: string; value: string }[] } }): AlternativeName[] =>
  extension.names
    .toJSON()
    .map(({ type, value }) => ({ type: (nameTypes as Readonly<Record<string, AlternativeName['type']>>)[type] ?? 'other', value }))

/** True when whoever made the request has the private key of the public key in it. */
export async function verifyCertificateRequest(pem: string): Promise<boolean> {
  const request = parseRequest(pem)
  try {
    return await request.verify()
  } catch {
    // An algorithm that nobody here can check proves nothing.
    return false
  }
}
