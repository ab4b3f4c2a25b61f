import type { AuditTrail } from '@continuo/workload'

const nothing = (): void => {}

/** Of a request that the policy does not want told: it has its id, by which its client may still name it, and keeps nothing. */
export const silentTrail = (id: string): AuditTrail => ({
  id,
  wantsRequest: false,
  wantsResponse: false,
  impersonates: nothing,
  annotate: nothing,
  named: nothing,
  sent: nothing,
  answered: nothing,
  failed: nothing,
  started: nothing,
  panicked: nothing,
  end: nothing,
})
