import type { DeepReadonly } from '@continuo/core'
import type { EndpointSlice, Service } from '@continuo/workload'
import { addressLabel } from './reverse-name.ts'

export interface NamedPort {
  readonly name: string
  /** `tcp`, `udp` or `sctp`. */
  readonly protocol: string
  readonly port: number
}

/** What names need of one slice: the ready endpoints by label, in the slice's order. */
export interface SliceRecords {
  readonly endpoints: ReadonlyMap<string, readonly string[]>
  readonly ports: readonly NamedPort[]
}

/** What names need of one service. */
export interface ServiceRecords {
  readonly addresses: readonly string[]
  readonly externalName?: string
  readonly headless: boolean
  /** Named or not: SRV records of the service itself tell all of them. */
  readonly ports: readonly NamedPort[]
  /** Endpoints count whether they are ready or not. */
  readonly notReadyToo: boolean
}

/** Reads a service. Pure. */
export function serviceRecords({ metadata, spec }: DeepReadonly<Service>): ServiceRecords {
  const addresses = (spec?.clusterIPs ?? [spec?.clusterIP ?? '']).filter((address) => address !== '' && address !== 'None')
  const external = spec?.type === 'ExternalName' ? (spec.externalName ?? '').replace(/\.$/, '').toLowerCase() : ''
  return {
    addresses: spec?.type === 'ExternalName' ? [] : addresses,
    ...(external === '' ? {} : { externalName: external }),
    headless: spec?.type !== 'ExternalName' && (spec?.clusterIP === 'None' || spec?.clusterIPs?.[0] === 'None'),
    ports: (spec?.ports ?? []).map(({ name, protocol, port }) => namedPort(name, protocol, port)),
    notReadyToo:
      spec?.publishNotReadyAddresses === true ||
      metadata.annotations?.['service.alpha.kubernetes.io/tolerate-unready-endpoints'] === 'true',
  }
}

const namedPort = (name: string | undefined, protocol: string | undefined, port: number): NamedPort => ({
  name: (name ?? '').toLowerCase(),
  protocol: (protocol ?? 'TCP').toLowerCase(),
  port,
})

/** Reads a slice. Endpoints that share a host name share its addresses. Pure. */
export function sliceRecords(slice: DeepReadonly<EndpointSlice>, notReadyToo: boolean): SliceRecords {
  const endpoints = new Map<string, readonly string[]>()
  if (slice.addressType !== 'FQDN')
    for (const { addresses, hostname, conditions } of slice.endpoints ?? []) {
      const [address] = addresses
      if (address === undefined || (conditions?.ready === false && !notReadyToo)) continue
      const label = (hostname ?? addressLabel(address)).toLowerCase()
      endpoints.set(label, [...(endpoints.get(label) ?? []), address])
    }
  return {
    endpoints,
    ports: (slice.ports ?? []).flatMap(({ name, protocol, port }) => (port === undefined ? [] : [namedPort(name, protocol, port)])),
  }
}
