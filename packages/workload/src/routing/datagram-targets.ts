import type { ProxyServicePort, ProxyState } from '../contracts/service-proxy.ts'
import { eligibleEndpoints, localEndpoints } from './eligible-endpoints.ts'
import { type AddressFamily, addressFamilyOf, serviceAddresses, shortestAddress } from './service-addresses.ts'

/** An address of a datagram service and what may answer for it. */
export interface DatagramTarget {
  /** Absent: every address of the node, on this port. */
  readonly ip?: string
  readonly port: number
  /** `ip port` of each endpoint. */
  readonly endpoints: ReadonlySet<string>
}

export type DatagramTargets = Readonly<Record<'UDP' | 'SCTP', Readonly<Record<AddressFamily, readonly DatagramTarget[]>>>>

/**
 * Addresses of datagram services whose endpoints are others than before, with what may answer for them now: flows to anything else are stale. Pure.
 * @param before Undefined at the first state, when flows may be left from another life: every address counts.
 */
export function datagramTargets(before: ProxyState | undefined, now: ProxyState, ids: Iterable<string>): DatagramTargets {
  const targets = {
    UDP: { ip: [] as DatagramTarget[], ip6: [] as DatagramTarget[] },
    SCTP: { ip: [] as DatagramTarget[], ip6: [] as DatagramTarget[] },
  }
  const gone: { readonly protocol: 'UDP' | 'SCTP'; readonly family: AddressFamily; readonly target: DatagramTarget }[] = []
  const taken = new Set<string>()
  for (const id of ids) {
    const [old, next] = [before?.ports.get(id), now.ports.get(id)]
    if (old === next) continue
    for (const [port, state] of [
      [next, now],
      [old, before],
    ] as const) {
      if (port === undefined || state === undefined || port.protocol === 'TCP') continue
      const { protocol } = port
      const usable = port === next ? endpoints(port, state) : new Set<string>()
      for (const { key, ip, port: number } of serviceAddresses(port))
        for (const family of ip === undefined ? (['ip', 'ip6'] as const) : [addressFamilyOf(ip)]) {
          const target = { ...(ip === undefined ? {} : { ip }), port: number, endpoints: usable }
          if (port !== next) gone.push({ protocol, family, target })
          else if (!taken.has(`${family} ${key}`)) {
            taken.add(`${family} ${key}`)
            targets[protocol][family].push(target)
          }
        }
    }
  }
  // An address that another service has now is that one's.
  for (const { protocol, family, target } of gone)
    if (!taken.has(`${family} ${protocol} ${target.ip ?? '*'} ${target.port}`)) targets[protocol][family].push(target)
  return targets
}

/** Everything that some address of the port may lead to. */
function endpoints(port: ProxyServicePort, state: ProxyState): ReadonlySet<string> {
  const local = [port.internalTrafficPolicy, port.externalTrafficPolicy].includes('Local')
  const usable = [...eligibleEndpoints(port.endpoints, state), ...(local ? localEndpoints(port.endpoints, state.nodeName) : [])]
  return new Set(usable.map(({ ip, port: number }) => `${shortestAddress(ip)} ${number}`))
}
