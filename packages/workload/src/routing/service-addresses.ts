import { BlockList, isIP } from 'node:net'
import type { ProxyServicePort } from '../contracts/service-proxy.ts'
import { canonicalAddress } from '../rules/networks.ts'

/** One address and port at which a service port is reached. */
export interface ServiceAddress {
  /** `TCP 10.96.0.10 80`, or `TCP * 30080` for a node port: what two services cannot both have. */
  readonly key: string
  readonly kind: 'cluster' | 'load-balancer' | 'external' | 'node-port'
  readonly protocol: ProxyServicePort['protocol']
  /** In its shortest form. Absent for node ports: any address of the node. */
  readonly ip?: string
  readonly port: number
}

/** Every address of a service port, each once, in the order of {@link ServiceAddress.kind}: who comes first is the stronger claim. Pure. */
export function serviceAddresses(service: ProxyServicePort): readonly ServiceAddress[] {
  const { protocol } = service
  const found = new Map<string, ServiceAddress>()
  const add = (kind: ServiceAddress['kind'], port: number, ip?: string): void => {
    const key = `${protocol} ${ip ?? '*'} ${port}`
    if (!found.has(key)) found.set(key, { key, kind, protocol, port, ...(ip === undefined ? {} : { ip }) })
  }
  for (const ip of service.clusterIPs) add('cluster', service.port, shortestAddress(ip))
  for (const ip of service.loadBalancerIPs) add('load-balancer', service.port, shortestAddress(ip))
  for (const ip of service.externalIPs) add('external', service.port, shortestAddress(ip))
  if (service.nodePort !== undefined) add('node-port', service.nodePort)
  return [...found.values()]
}

/** An address as kernels print it; what is no address is returned as it is. */
export const shortestAddress = (ip: string): string => canonicalAddress(ip) ?? ip

const ranges: readonly (readonly [name: string, address: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['a loopback address', '127.0.0.0', 8, 'ipv4'],
  ['a loopback address', '::1', 128, 'ipv6'],
  ['a link-local address', '169.254.0.0', 16, 'ipv4'],
  ['a link-local address', 'fe80::', 10, 'ipv6'],
  ['a multicast address', '224.0.0.0', 4, 'ipv4'],
  ['a multicast address', 'ff00::', 8, 'ipv6'],
  ['an unspecified address', '0.0.0.0', 8, 'ipv4'],
  ['an unspecified address', '::', 128, 'ipv6'],
  ['an IPv4 address in IPv6 clothes', '::ffff:0:0', 96, 'ipv6'],
  ['the broadcast address', '255.255.255.255', 32, 'ipv4'],
]
const unroutable = ranges.map(([name, address, prefix, family]) => {
  const list = new BlockList()
  list.addSubnet(address, prefix, family)
  return { name, list, family }
})

/**
 * Why the kernel must not be told to send traffic to or from an address; undefined when it may. Loopback above all: what listens there
 * trusts whoever can reach it, and a rule that leads there opens it to pods and, with `route_localnet`, to the network.
 */
export function unroutableAddress(ip: string): string | undefined {
  const version = isIP(ip)
  if (version === 0) return 'not an IP address'
  const family = version === 6 ? 'ipv6' : 'ipv4'
  return unroutable.find((range) => range.family === family && range.list.check(ip, family))?.name
}
