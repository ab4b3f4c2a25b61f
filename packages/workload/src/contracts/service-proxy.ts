import { capability } from '@continuo/core'

export interface ProxyEndpoint {
  readonly ip: string
  readonly port: number
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly nodeName?: string
  readonly zone?: string
  /** Zones and nodes whose traffic the endpoint shall get, by the slice's hints. Absent: no hint. */
  readonly forZones?: readonly string[]
  readonly forNodes?: readonly string[]
}

/** One port of one service with everything that is needed to route to it. */
export interface ProxyServicePort {
  /** `namespace/name:port`. Its key in the state. */
  readonly id: string
  readonly namespace: string
  readonly service: string
  readonly portName: string
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly clusterIPs: readonly string[]
  readonly externalIPs: readonly string[]
  readonly loadBalancerIPs: readonly string[]
  readonly port: number
  readonly nodePort?: number
  readonly sessionAffinitySeconds?: number
  readonly internalTrafficPolicy: 'Cluster' | 'Local'
  readonly externalTrafficPolicy: 'Cluster' | 'Local'
  readonly endpoints: readonly ProxyEndpoint[]
}

/** Everything that a node's proxy shall do. Immutable: a new state shares what did not change. */
export interface ProxyState {
  readonly nodeName: string
  /** Zone of this node, for topology hints. */
  readonly zone?: string
  readonly ports: ReadonlyMap<string, ProxyServicePort>
}

/** A service port that could not be programmed, for a condition and an Event. */
export interface ProxyProblem {
  readonly id: string
  /** CamelCase: `PortInUse`, `AddressNotAvailable`, `AddressNotAllowed`, `PermissionDenied`, `ProtocolNotSupported`. */
  readonly reason: string
  readonly message: string
}

export interface ProxyResult {
  /** Number of rules, sockets or map entries that were changed: 0 when the same state is applied twice. */
  readonly changes: number
  /** Every problem that stands now, not only new ones. */
  readonly problems: readonly ProxyProblem[]
}

/**
 * Routes traffic for services on one node. `apply` is called with one state at a time. With `changed` keys the cost follows
 * these alone; without it is a full resync that also mends what others broke. Between two states every service that is in both stays routable.
 */
export interface ServiceProxy {
  readonly name: string
  apply(update: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }): Promise<ProxyResult>
  /** Removes everything that it made. */
  clear(): Promise<void>
}

export const ServiceProxyCap = capability<ServiceProxy>('proxy/v1', { swappable: true })
