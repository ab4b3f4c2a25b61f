import { isIP } from 'node:net'
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

/** As the kernel's tools name it. */
export type AddressFamily = 'ip' | 'ip6'

export const addressFamilyOf = (ip: string): AddressFamily => (ip.includes(':') ? 'ip6' : 'ip')

/** An address as kernels print it; what is no address is returned as it is. */
export const shortestAddress = (ip: string): string => canonicalAddress(ip) ?? ip

/** By the beginning of an address in its shortest form: this is asked for each endpoint at each change. */
const unroutable: Readonly<Record<4 | 6, readonly (readonly [name: string, form: RegExp])[]>> = {
  4: [
    ['a loopback address', /^127\./],
    ['a link-local address', /^169\.254\./],
    ['a multicast address', /^2(?:2[4-9]|3\d)\./],
    ['an unspecified address', /^0\./],
    ['a reserved address', /^2(?:4\d|5[0-5])\./],
  ],
  6: [
    ['a loopback address', /^::1$/],
    ['a link-local address', /^fe[89ab]/],
    ['a multicast address', /^ff/],
    ['an unspecified address', /^::$/],
    ['an IPv4 address in IPv6 clothes', /^::ffff:/],
  ],
}

/**
 * Why the kernel must not be told to send traffic to or from an address; undefined when it may. Loopback above all: what listens there
 * trusts whoever can reach it, and a rule that leads there opens it to pods and, with `route_localnet`, to the network.
 */
export function unroutableAddress(ip: string): string | undefined {
  const version = isIP(ip)
  if (version === 0) return 'not an IP address'
  const shortest = version === 6 ? shortestAddress(ip) : ip
  return unroutable[version === 6 ? 6 : 4].find(([, form]) => form.test(shortest))?.[0]
}
