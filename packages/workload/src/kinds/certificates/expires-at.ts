import { X509Certificate } from 'node:crypto'
import { type DeepReadonly, parseTime } from '@continuo/core'
import type { CertificateSigningRequest } from '../../generated/types/certificates-v1.ts'

const hourMs = 3_600_000
/** How long requests are kept in which nothing happens any more. */
const keptMs = { pending: 24 * hourMs, denied: hourMs, failed: hourMs, issued: hourMs }

/**
 * When a request is of no use any longer: a day after it was made when nobody decided, an hour after it was denied, failed, or
 * was approved and signed, and at once when its certificate has ended. Wall milliseconds; undefined for one that waits for its signer. Pure.
 */
export function expiresAt({ metadata, status }: DeepReadonly<CertificateSigningRequest>): number | undefined {
  const created = parseTime(metadata.creationTimestamp ?? '')
  const conditions = status?.conditions ?? []
  if (conditions.length === 0) return created + keptMs.pending
  const moments = conditions.flatMap(({ type, lastUpdateTime }) => {
    const since = lastUpdateTime ? parseTime(lastUpdateTime) : created
    if (type === 'Denied') return [since + keptMs.denied]
    if (type === 'Failed') return [since + keptMs.failed]
    if (type === 'Approved' && status?.certificate) return [Math.min(since + keptMs.issued, endOf(status.certificate))]
    return []
  })
  return moments.length === 0 ? undefined : Math.min(...moments)
}

/** When the certificate ends; never for what is none. */
function endOf(base64: string): number {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).validToDate.getTime()
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
