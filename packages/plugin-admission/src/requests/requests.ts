import type { AdmissionRequest } from '@continuo/core'
import type { Pod } from '@continuo/workload'

/** True for requests that write objects of this resource themselves, not a subresource of one. */
export const concerns = ({ resource, subresource }: AdmissionRequest, group: string, plural: string): boolean =>
  resource.resource === plural && resource.group === group && subresource === undefined

/** The pod of a request that creates one. */
export const newPod = (request: AdmissionRequest): Pod | undefined =>
  request.operation === 'CREATE' && concerns(request, '', 'pods') ? (request.object as unknown as Pod) : undefined
