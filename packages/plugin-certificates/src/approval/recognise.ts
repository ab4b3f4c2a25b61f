import type { DeepReadonly } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'
import { hasCondition } from '../requests/conditions.ts'
import { type Requested, requestedBy } from '../requests/requested.ts'
import { nodeClientRule } from '../signing/signer-rules.ts'

/** The right by which a node's request is approved without anybody looking at it: to create this subresource of signing requests. */
export type NodeRight = 'selfnodeclient' | 'nodeclient'

const signer = 'kubernetes.io/kube-apiserver-client-kubelet'

/**
 * Rights of which one lets a request be approved, the narrowest first; none for a request that somebody has to look at. Pure.
 * A node that asks for its own name renews; anybody else brings a node into the cluster.
 */
export function rightsFor(request: DeepReadonly<CertificateSigningRequest>): readonly NodeRight[] {
  if (request.spec.signerName !== signer || request.status?.certificate || request.metadata.deletionTimestamp !== undefined) return []
  if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return []
  let requested: Requested
  try {
    requested = requestedBy(request)
  } catch {
    return []
  }
  if (nodeClientRule(requested) !== undefined) return []
  return requested.commonNames[0] === request.spec.username ? ['selfnodeclient', 'nodeclient'] : ['nodeclient']
}
