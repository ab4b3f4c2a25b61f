import type { DeepReadonly } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'
import { hasCondition } from '../requests/conditions.ts'
import { requestedBy } from '../requests/requested.ts'
import { type SignerName, signerRules } from './signer-rules.ts'

/** The shortest time that a certificate is made for. */
const minSeconds = 600

/** What becomes of a request: it is none of this signer's business now, nobody may ever sign it, or it is signed for so long. */
export type SigningDecision =
  | { readonly type: 'none' }
  | { readonly type: 'refuse'; readonly message: string }
  | { readonly type: 'sign'; readonly seconds: number }

export interface SigningPolicy {
  readonly signers: ReadonlySet<string>
  /** The longest time that a certificate is made for, and the one that it has when nobody asks for less. */
  readonly maxSeconds: number
}

const none = { type: 'none' } as const

/** Pure. What was denied, was not approved, failed or was signed already is left alone. */
export function decideSigning(request: DeepReadonly<CertificateSigningRequest>, policy: SigningPolicy): SigningDecision {
  const { spec, status, metadata } = request
  if (!policy.signers.has(spec.signerName) || status?.certificate || metadata.deletionTimestamp !== undefined) return none
  if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return none
  const fault = faultOf(request)
  if (fault !== undefined) return { type: 'refuse', message: fault }
  return { type: 'sign', seconds: Math.min(Math.max(spec.expirationSeconds ?? policy.maxSeconds, minSeconds), policy.maxSeconds) }
}

function faultOf(request: DeepReadonly<CertificateSigningRequest>): string | undefined {
  try {
    return signerRules[request.spec.signerName as SignerName]?.(requestedBy(request))
  } catch (error) {
    return (error as Error).message
  }
}
