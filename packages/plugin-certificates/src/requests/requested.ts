import type { DeepReadonly } from '@continuo/core'
import { type RequestFacts, readCertificateRequest } from '@continuo/lib-certificates'
import type { CertificateSigningRequest } from '@continuo/workload'

/** A signing request, decoded: what its PKCS #10 asks for, and for what usages. */
export interface Requested extends RequestFacts {
  readonly usages: readonly string[]
}

/** The PEM text of `spec.request`. */
export const requestPem = ({ spec }: DeepReadonly<CertificateSigningRequest>): string =>
  Buffer.from(spec.request ?? '', 'base64').toString('latin1')

/** Throws `CERT_INVALID` when `spec.request` is no request. */
export const requestedBy = (request: DeepReadonly<CertificateSigningRequest>): Requested => ({
  ...readCertificateRequest(requestPem(request)),
  usages: request.spec.usages ?? [],
})
