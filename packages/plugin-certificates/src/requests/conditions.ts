import { type DeepReadonly, formatTime, mutableCopy } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'

export type ConditionType = 'Approved' | 'Denied' | 'Failed'

export const hasCondition = ({ status }: DeepReadonly<CertificateSigningRequest>, type: ConditionType): boolean =>
  status?.conditions?.some((condition) => condition.type === type) === true

/** A copy with one more condition. `now` is wall milliseconds. Pure. */
export function withCondition(
  request: DeepReadonly<CertificateSigningRequest>,
  type: ConditionType,
  reason: string,
  message: string,
  now: number,
): CertificateSigningRequest {
  const next = mutableCopy<CertificateSigningRequest>(request)
  const at = formatTime(now)
  const condition = { type, status: 'True', reason, message, lastUpdateTime: at, lastTransitionTime: at }
  next.status = { ...next.status, conditions: [...(next.status?.conditions ?? []), condition] }
  return next
}
