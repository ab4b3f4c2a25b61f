import { createHash, X509Certificate } from 'node:crypto'
import { algorithm, exportKey, generateKeys } from './authority.ts'
import { CertificateError } from './certificate-error.ts'
import { loadX509 } from './load-x509.ts'
import { distinguishedName, type Subject } from './subject.ts'

/** A request for a certificate (PKCS #10) and the private key that stays with who asks, both PEM. */
export interface SigningRequest {
  readonly request: string
  /** PKCS #8. */
  readonly privateKey: string
}

/** Makes a key and a request that proves to have it: ECDSA P-256. */
export async function createSigningRequest(subject: Subject): Promise<SigningRequest> {
  const x509 = loadX509()
  const keys = await generateKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName(subject),
    keys,
    signingAlgorithm: algorithm,
  })
  return { request: `${request.toString('pem')}\n`, privateKey: await exportKey(keys.privateKey) }
}

/** By what a client that joins recognises an authority: the SHA-256 of its public key, as `sha256:<hex>`. Throws `CERT_INVALID`. */
export function publicKeyPin(certificate: string): string {
  try {
    const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
    return `sha256:${createHash('sha256').update(key).digest('hex')}`
  } catch (cause) {
    throw new CertificateError('CERT_INVALID', 'a certificate cannot be read', {
      hint: 'it must be an X.509 certificate in PEM form',
      cause,
    })
  }
}
