import type { DeepReadonly } from '@continuo/core'
import type { Service } from '@continuo/workload'

type ServiceView = DeepReadonly<Service>

/** Addresses and ports that a service holds. */
export interface Held {
  readonly addresses: ReadonlySet<string>
  readonly ports: ReadonlySet<number>
}

export const nothingHeld: Held = { addresses: new Set(), ports: new Set() }

export const isHeadless = (service: ServiceView): boolean => service.spec?.clusterIP === 'None' || service.spec?.clusterIPs?.[0] === 'None'

export const needsAddress = (service: ServiceView): boolean => service.spec?.type !== 'ExternalName' && !isHeadless(service)

/** True when each of the service's ports gets one on every node. */
export const needsPorts = (service: ServiceView): boolean =>
  service.spec?.type === 'NodePort' || (service.spec?.type === 'LoadBalancer' && service.spec.allocateLoadBalancerNodePorts !== false)

export const needsHealthPort = (service: ServiceView): boolean =>
  service.spec?.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local'

/** What the service names, whether it was given or asked for. */
export function heldBy(service: ServiceView | undefined): Held {
  if (service === undefined) return nothingHeld
  const { clusterIP, clusterIPs = [], ports = [], healthCheckNodePort } = service.spec ?? {}
  const addresses = needsAddress(service) ? [clusterIP ?? '', ...clusterIPs].filter((address) => address !== '') : []
  const exposes = service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer'
  const numbers = exposes ? [...ports.map((port) => port.nodePort ?? 0), healthCheckNodePort ?? 0].filter((port) => port > 0) : []
  return { addresses: new Set(addresses), ports: new Set(numbers) }
}
