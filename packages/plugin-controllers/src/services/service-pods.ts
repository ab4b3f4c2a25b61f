import { type DeepReadonly, type Informer, keyOf, type ObjectKey } from '@continuo/core'
import type { ObjectReference, Pod, Service, ServicePort } from '@continuo/workload'
import { hasEnded, isReady, isTerminating, type PodView } from '../pods/pod-state.ts'

export type ServiceView = DeepReadonly<Service>
export type IpFamily = 'IPv4' | 'IPv6'

/** True when the service's endpoints are made from pods: others are somebody else's work. */
export const selectsPods = (service: ServiceView): boolean =>
  service.spec?.type !== 'ExternalName' && service.spec?.selector !== undefined && Object.keys(service.spec.selector).length > 0

export const isHeadless = (service: ServiceView): boolean => service.spec?.clusterIP === 'None'

export const familyOf = (address: string): IpFamily => (address.includes(':') ? 'IPv6' : 'IPv4')

/** Families for which endpoints are published. */
export const familiesOf = (service: ServiceView): readonly IpFamily[] => {
  const families = (service.spec?.ipFamilies ?? []).filter((family) => family !== '')
  return families.length > 0 ? families : ['IPv4']
}

export function addressOf(pod: PodView, family: IpFamily): string | undefined {
  const addresses = [...(pod.status?.podIPs ?? []).map(({ ip }) => ip), pod.status?.podIP]
  return addresses.find((address) => address !== undefined && address !== '' && familyOf(address) === family)
}

/** How a pod stands as an endpoint (KEP-1672). A pod that is going serves while it is ready, but takes no new connections. */
export interface EndpointState {
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
}

export function endpointState(pod: PodView, publishNotReady: boolean): EndpointState {
  const serving = isReady(pod)
  const terminating = isTerminating(pod)
  return { ready: publishNotReady || (serving && !terminating), serving, terminating }
}

/** Pods with an address that have not ended may be endpoints. */
export const canBeEndpoint = (pod: PodView): boolean => !hasEnded(pod)

export const podReference = (pod: PodView): ObjectReference => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name,
  ...(pod.metadata.uid && { uid: pod.metadata.uid }),
})

/** The pod's own name within the service, if it asks for one. */
export const hostnameOf = (pod: PodView, service: ServiceView): string | undefined =>
  pod.spec?.hostname && pod.spec.subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace
    ? pod.spec.hostname
    : undefined

/** The number behind a service's port on this pod: names are looked up among the ports of its containers and sidecars. Undefined when there is none. */
export function targetPortOn(pod: PodView, port: DeepReadonly<ServicePort>): number | undefined {
  const target = (port.targetPort as number | string | undefined) ?? port.port
  if (typeof target === 'number') return target === 0 ? port.port : target
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const found = container.ports?.find((each) => each.name === target && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
    if (found !== undefined) return found.containerPort
  }
  return undefined
}

/** A port as endpoints publish it. */
export interface PublishedPort {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly appProtocol?: string
}

/** The ports of the service that this pod offers. */
export const portsOn = (pod: PodView, service: ServiceView): readonly PublishedPort[] =>
  (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPortOn(pod, port)
    return number === undefined
      ? []
      : [
          {
            name: port.name ?? '',
            port: number,
            protocol: port.protocol ?? 'TCP',
            ...(port.appProtocol && { appProtocol: port.appProtocol }),
          },
        ]
  })

/** Services whose selector picks the pod: a change of the pod concerns them. */
export const servicesOf = (services: Informer<Service>, pod: PodView): readonly ObjectKey[] =>
  services.lister
    .list(pod.metadata.namespace)
    .filter((service) => selectsPods(service) && picks(service, pod))
    .map((service) => keyOf(service))

export const podsOf = (pods: Informer<Pod>, service: ServiceView): readonly PodView[] =>
  pods.lister.list(service.metadata.namespace).filter((pod) => picks(service, pod))

/** Plain equality: asked for every pair of a service and a pod of its namespace. */
function picks({ spec }: ServiceView, { metadata: { labels } }: PodView): boolean {
  const selector = spec?.selector ?? {}
  for (const key in selector) if (labels?.[key] !== selector[key]) return false
  return true
}
