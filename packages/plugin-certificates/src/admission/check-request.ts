import { type AdmissionRequest, type DeepReadonly, fieldError, forbidden, invalid } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'
import { type Requested, requestedBy } from '../requests/requested.ts'

const mastersGroup = 'system:masters'
const nodesGroup = 'system:nodes'
const nodePrefix = 'system:node:'
/** Of base64 text: a request has a key, a subject and some hundred names at most. */
const maxLength = 64 * 1024
const kubeletSigners = new Set(['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'])

const objectOf = ({ object }: AdmissionRequest): DeepReadonly<CertificateSigningRequest> => object as unknown as CertificateSigningRequest

/** Throws 422 when `spec.request` is no PKCS #10 in PEM form, or larger than any honest one. */
export function checkRequest(request: AdmissionRequest): void {
  const object = objectOf(request)
  if (object.spec.request.length > maxLength) throw invalid(request.kind, request.name, [fieldError.tooLong('spec.request', maxLength)])
  try {
    requestedBy(object)
  } catch (error) {
    throw invalid(request.kind, request.name, [fieldError.invalid('spec.request', object.spec.request, (error as Error).message)])
  }
}

/** Throws 403 for a client certificate of the group that no authoriser ever refuses. {@link checkRequest} has been called. */
export function checkSubject(request: AdmissionRequest): void {
  const object = objectOf(request)
  if (object.spec.signerName !== 'kubernetes.io/kube-apiserver-client') return
  if (requestedBy(object).organizations.includes(mastersGroup))
    throw forbidden(request.resource, request.name, `use of ${object.spec.signerName} signer with ${mastersGroup} group is not allowed`)
}

/** Throws 403 when a node asks in another's name. {@link checkRequest} has been called. */
export function checkNodeName(request: AdmissionRequest): void {
  const { username, groups } = request.caller.user
  const object = objectOf(request)
  if (!username.startsWith(nodePrefix) || groups?.includes(nodesGroup) !== true || !kubeletSigners.has(object.spec.signerName)) return
  const { commonNames }: Requested = requestedBy(object)
  if (commonNames.length !== 1 || commonNames[0] !== username)
    throw forbidden(request.resource, request.name, `can only create a node CSR with CN=${username}`)
}
