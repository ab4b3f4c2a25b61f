import type { AdmissionRequest } from '@continuo/core'

/** Questions to the API itself: whoever cannot ask them can neither be let in nor kept out. */
const reviewGroups = ['authentication.k8s.io', 'authorization.k8s.io']
/** Where leaders and nodes say that they live. */
const leaseNamespaces = ['kube-system', 'kube-node-lease']
const nodesGroup = 'system:nodes'

/** The system at work: its own plugins, and nodes. */
const isSystem = ({ caller }: Pick<AdmissionRequest, 'caller'>): boolean =>
  caller.trusted || caller.user.groups?.includes(nodesGroup) === true

/**
 * Requests that no webhook and no policy sees. What configures webhooks and policies, so that a mistake in it can be mended; reviews; and
 * the leases by which the system's leaders and nodes show that they live: a slow webhook must not depose a leader.
 */
export function isExempt(request: AdmissionRequest): boolean {
  const { group, resource } = request.resource
  if (group === 'admissionregistration.k8s.io') return true
  if (reviewGroups.includes(group)) return true
  return group === 'coordination.k8s.io' && resource === 'leases' && leaseNamespaces.includes(request.namespace) && isSystem(request)
}

/**
 * Requests that a webhook or policy may refuse, but not by failing: nodes that join and tell their state. Without nodes there is
 * nothing on which a webhook that failed could come back.
 */
export const passesFailures = (request: AdmissionRequest): boolean =>
  request.resource.group === '' && request.resource.resource === 'nodes' && request.operation !== 'CONNECT' && isSystem(request)
