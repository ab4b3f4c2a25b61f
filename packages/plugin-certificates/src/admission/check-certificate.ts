import { X509Certificate } from 'node:crypto'
import { type AdmissionRequest, type DeepReadonly, fieldError, invalid } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'

const block = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g

/** True when the update gives out a certificate. Throws 422 when that is none. */
export function checkCertificate(request: AdmissionRequest): boolean {
  const of = (object: unknown): string => (object as DeepReadonly<CertificateSigningRequest> | undefined)?.status?.certificate ?? ''
  const certificate = of(request.object)
  if (certificate === of(request.oldObject)) return false
  const fault = certificate === '' ? undefined : faultOf(Buffer.from(certificate, 'base64').toString('latin1'))
  if (fault !== undefined)
    throw invalid(request.kind, request.name, [fieldError.invalid('status.certificate', '<certificate data>', fault)])
  return true
}

/** What is wrong with a chain of certificates in PEM form. Pure. */
function faultOf(pem: string): string | undefined {
  const blocks = [...pem.matchAll(block)]
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block'
  for (const [index, [text, type]] of blocks.entries()) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    try {
      new X509Certificate(text)
    } catch {
      return `PEM block ${index} cannot be read as a certificate`
    }
  }
  return undefined
}
