import type { EndpointAddress, EndpointSubset } from '@continuo/workload'
import { isReady, isTerminating, type PodView } from '../pods/pod-state.ts'
import {
  addressOf,
  canBeEndpoint,
  familiesOf,
  hostnameOf,
  isHeadless,
  podReference,
  portsOn,
  type ServiceView,
} from '../services/service-pods.ts'

/** Addresses that one Endpoints object may hold; more are cut off and the object says so. */
export const capacity = 1000

/**
 * The subsets of a service's Endpoints: pods with the same ports stand together, addresses sorted, those that are not ready apart.
 * A pod that is going is in neither list, unless the service publishes pods whatever their state.
 */
export function endpointSubsets(
  service: ServiceView,
  pods: readonly PodView[],
): { readonly subsets: EndpointSubset[]; readonly truncated: boolean } {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true
  const family = familiesOf(service)[0] ?? 'IPv4'
  const members = pods
    .filter((pod) => canBeEndpoint(pod) && (publishNotReady || !isTerminating(pod)) && addressOf(pod, family) !== undefined)
    .map((pod) => ({
      pod,
      address: addressFor(pod, addressOf(pod, family) as string, service),
      ports: portsOn(pod, service),
      ready: publishNotReady || isReady(pod),
    }))
    .filter(({ ports }) => ports.length > 0 || (isHeadless(service) && (service.spec?.ports?.length ?? 0) === 0))
    .sort((a, b) => (a.address.ip < b.address.ip ? -1 : a.address.ip > b.address.ip ? 1 : 0))
  const kept = [...members.filter(({ ready }) => ready), ...members.filter(({ ready }) => !ready)].slice(0, capacity)
  const groups = Map.groupBy(kept, ({ ports }) => JSON.stringify(ports))
  const subsets = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]): EndpointSubset => {
      const ready = group.filter((each) => each.ready).map((each) => each.address)
      const notReady = group.filter((each) => !each.ready).map((each) => each.address)
      const ports = (group[0]?.ports ?? []).map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port }))
      return {
        ...(ready.length > 0 && { addresses: ready }),
        ...(notReady.length > 0 && { notReadyAddresses: notReady }),
        ...(ports.length > 0 && { ports }),
      }
    })
  return { subsets, truncated: members.length > kept.length }
}

const addressFor = (pod: PodView, ip: string, service: ServiceView): EndpointAddress => {
  const hostname = hostnameOf(pod, service)
  return { ip, ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }), targetRef: podReference(pod), ...(hostname && { hostname }) }
}
