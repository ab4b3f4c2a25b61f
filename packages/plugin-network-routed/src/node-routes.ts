import type { DeepReadonly } from '@continuo/core'
import type { Node } from '@continuo/workload'
import { type AddressRange, formatAddress, parseAddress, parseRange } from './address-pool.ts'
import { hardwareAddress, routeProtocol } from './wiring.ts'

/** Another node, as far as its pods are to be reached. */
export interface Peer {
  readonly address: string
  readonly ranges: readonly AddressRange[]
}

/** The IPv4 ranges of a node's pods. */
export const rangesOf = ({ spec }: DeepReadonly<Node>): readonly AddressRange[] =>
  (spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])).flatMap((cidr) => parseRange(cidr) ?? [])

/** Its first IPv4 address within the cluster. */
export const addressOf = ({ status }: DeepReadonly<Node>): string | undefined =>
  status?.addresses?.find(({ type, address }) => type === 'InternalIP' && parseAddress(address) !== undefined)?.address

/** The other nodes that have both an address and a range, in the order of their names. */
export const peersOf = (nodes: readonly DeepReadonly<Node>[], self: string): readonly Peer[] =>
  nodes
    .filter(({ metadata }) => metadata.name !== self)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((node) => {
      const address = addressOf(node)
      const ranges = rangesOf(node)
      return address === undefined || ranges.length === 0 ? [] : [{ address, ranges }]
    })

/** A route as `ip -json route` tells it. */
export interface KernelRoute {
  readonly type?: string
  readonly dst: string
  readonly gateway?: string
  readonly dev?: string
}

interface WantedRoute {
  readonly dst: string
  readonly type?: 'unreachable'
  readonly gateway?: string
  readonly dev?: string
}

/** The routes that a node should have. `overlay`: the interface of the overlay; undefined: through the nodes' own addresses. */
export function wantedRoutes(own: readonly AddressRange[], peers: readonly Peer[], overlay: string | undefined): readonly WantedRoute[] {
  return [
    // An address that no pod has now is nowhere: without this, its packets would leave by the default route, perhaps to come back.
    ...own.map(({ cidr }): WantedRoute => ({ dst: cidr, type: 'unreachable' })),
    ...peers.flatMap(({ address, ranges }) =>
      ranges.map(
        ({ cidr, base }): WantedRoute =>
          overlay === undefined ? { dst: cidr, gateway: address } : { dst: cidr, gateway: formatAddress(base), dev: overlay },
      ),
    ),
  ]
}

/** Lines for `ip -batch` that turn our present routes into the wanted ones; none when nothing is to do. Routes to single pods are left alone. */
export function planRoutes(present: readonly KernelRoute[], wanted: readonly WantedRoute[]): readonly string[] {
  const fits = (a: KernelRoute, b: WantedRoute): boolean =>
    a.dst === b.dst &&
    (a.type ?? 'unicast') === (b.type ?? 'unicast') &&
    a.gateway === b.gateway &&
    (b.dev === undefined || a.dev === b.dev)
  const ranges = present.filter(({ gateway, type }) => gateway !== undefined || type === 'unreachable')
  const stale = ranges.filter((route) => !wanted.some((want) => fits(route, want)))
  const missing = wanted.filter((want) => !ranges.some((route) => fits(route, want)))
  return [
    ...stale.map(({ type, dst }) => `route del ${type === 'unreachable' ? 'unreachable ' : ''}${dst} proto ${routeProtocol}`),
    ...missing.map(({ type, dst, gateway, dev }) =>
      type === 'unreachable'
        ? `route replace unreachable ${dst} proto ${routeProtocol}`
        : `route replace ${dst} via ${gateway}${dev === undefined ? '' : ` dev ${dev} onlink`} proto ${routeProtocol}`,
    ),
  ]
}

/** Entries of the overlay: who has which hardware address (`ip neigh`), and behind which node that is (`bridge fdb`). */
export interface OverlayEntries {
  /** Hardware address by address in the overlay. */
  readonly neighbours: ReadonlyMap<string, string>
  /** Address of the node by hardware address. */
  readonly forwarding: ReadonlyMap<string, string>
}

export const overlayEntries = (peers: readonly Peer[]): OverlayEntries => ({
  neighbours: new Map(
    peers.flatMap(({ address, ranges }) => ranges.map(({ base }) => [formatAddress(base), hardwareAddress(address)] as const)),
  ),
  forwarding: new Map(peers.map(({ address }) => [hardwareAddress(address), address])),
})

/** Lines for `ip -batch` and for `bridge -batch` that turn the present entries into the wanted ones. */
export function planOverlay(
  device: string,
  present: OverlayEntries,
  wanted: OverlayEntries,
): { readonly ip: readonly string[]; readonly bridge: readonly string[] } {
  const changed = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>) => [...a].filter(([key, value]) => b.get(key) !== value)
  return {
    ip: [
      ...changed(present.neighbours, wanted.neighbours).map(([address]) => `neigh del ${address} dev ${device}`),
      ...changed(wanted.neighbours, present.neighbours).map(
        ([address, hardware]) => `neigh replace ${address} lladdr ${hardware} dev ${device} nud permanent`,
      ),
    ],
    bridge: [
      ...changed(present.forwarding, wanted.forwarding).map(([hardware, address]) => `fdb del ${hardware} dev ${device} dst ${address}`),
      ...changed(wanted.forwarding, present.forwarding).map(([hardware, address]) => `fdb append ${hardware} dev ${device} dst ${address}`),
    ],
  }
}
