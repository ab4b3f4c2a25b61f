import type { Endpoint } from '@continuo/workload'
import { controllerReference } from '../adoption/claim.ts'
import type { PodView } from '../pods/pod-state.ts'
import {
  addressOf,
  canBeEndpoint,
  endpointState,
  familiesOf,
  hostnameOf,
  type IpFamily,
  isHeadless,
  podReference,
  portsOn,
  type ServiceView,
} from '../services/service-pods.ts'
import type { EndpointGroup, SliceFrame } from './plan-slices.ts'

export const managedBy = 'endpointslice-controller.k8s.io'
export const serviceLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
const headlessLabel = 'service.kubernetes.io/headless'

/**
 * The endpoints of a service, grouped by address family and ports. A service without any gets one empty group,
 * so that a slice says that it has none.
 */
export function desiredGroups(
  service: ServiceView,
  pods: readonly PodView[],
  zoneOf: (nodeName: string) => string | undefined,
): readonly EndpointGroup[] {
  const groups: EndpointGroup[] = []
  for (const family of familiesOf(service)) {
    const byPorts = Map.groupBy(
      pods
        .filter((pod) => canBeEndpoint(pod) && addressOf(pod, family) !== undefined)
        .map((pod) => ({ pod, ports: portsOn(pod, service) })),
      ({ ports }) => JSON.stringify(ports),
    )
    for (const members of byPorts.values()) {
      const ports = members[0]?.ports ?? []
      if (ports.length === 0 && !(isHeadless(service) && (service.spec?.ports?.length ?? 0) === 0)) continue
      groups.push({ addressType: family, ports, endpoints: members.map(({ pod }) => endpointFor(pod, family, service, zoneOf)) })
    }
    if (!groups.some((group) => group.addressType === family)) groups.push({ addressType: family, ports: [], endpoints: [] })
  }
  return groups
}

function endpointFor(pod: PodView, family: IpFamily, service: ServiceView, zoneOf: (nodeName: string) => string | undefined): Endpoint {
  const nodeName = pod.spec?.nodeName
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName)
  const hostname = hostnameOf(pod, service)
  return {
    addresses: [addressOf(pod, family) as string],
    conditions: endpointState(pod, service.spec?.publishNotReadyAddresses === true),
    targetRef: podReference(pod),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    ...(hostname && { hostname }),
  }
}

/** Labels, annotations and owner of the service's slices: the service's own, but for what kubectl keeps there. */
export function sliceFrame(service: ServiceView): SliceFrame {
  const { [headlessLabel]: _, ...own } = service.metadata.labels ?? {}
  const {
    'kubectl.kubernetes.io/last-applied-configuration': __,
    'endpoints.kubernetes.io/last-change-trigger-time': ___,
    ...annotations
  } = service.metadata.annotations ?? {}
  return {
    namespace: service.metadata.namespace ?? '',
    service: service.metadata.name,
    labels: {
      ...own,
      [serviceLabel]: service.metadata.name,
      [managedByLabel]: managedBy,
      ...(isHeadless(service) && { [headlessLabel]: '' }),
    },
    annotations,
    owner: controllerReference(service),
  }
}
