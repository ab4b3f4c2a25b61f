import { type AdmissionRequest, forbidden } from '@continuo/core'
import type { AccessAttributes, AccessGate, CertificateSigningRequest } from '@continuo/workload'

/** Throws 403 unless the caller has the verb on the request's signer, by its name or by `domain/*`. Trusted callers have. */
export async function checkRight(request: AdmissionRequest, verb: 'approve' | 'sign', gate: AccessGate): Promise<void> {
  const { caller, oldObject } = request
  if (caller.trusted) return
  const signer = (oldObject as unknown as CertificateSigningRequest | undefined)?.spec.signerName ?? ''
  // By the name first, then by its domain.
  for (const name of [signer, `${signer.split('/', 1)[0]}/*`]) {
    const attributes: AccessAttributes = {
      user: caller.user,
      verb,
      isResource: true,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
      path: '',
    }
    if ((await gate.authorize(attributes)).decision === 'allow') return
  }
  throw forbidden(request.resource, request.name, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`)
}
