import { type DeepReadonly, formatTime, jsonEqual } from '@continuo/core'
import type { CertificateSigningRequest } from '@continuo/workload'

/** Conditions that an update adds or changes say when, where the client did not. Changes `next`. `now` is wall milliseconds. */
export function datedConditions(next: CertificateSigningRequest | undefined, old: DeepReadonly<object> | undefined, now: number): void {
  const before = (old as DeepReadonly<CertificateSigningRequest> | undefined)?.status?.conditions ?? []
  for (const condition of next?.status?.conditions ?? []) {
    if (before.some((known) => jsonEqual(known, condition))) continue
    condition.lastUpdateTime ??= formatTime(now)
    const same = before.find((known) => known.type === condition.type && known.status === condition.status)
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? formatTime(now)
  }
}
