import { createHash } from 'node:crypto'
import { parseAddress } from './address-pool.ts'

/** All our routes bear it, so that none of somebody else's is ever taken for ours. */
export const routeProtocol = 173

/** What every pod sends to; the node's end of each pair has the same hardware address, so that nobody ever asks for one. */
export const gateway = '169.254.1.1'
const gatewayHardware = 'ee:ee:ee:ee:ee:ee'

const linkPrefix = 'cn'

/** Name of the node's end of a pod's pair: 13 characters of at most 15. */
export const linkName = (uid: string): string => `${linkPrefix}${createHash('sha256').update(uid).digest('hex').slice(0, 11)}`

export const isLinkName = (name: string): boolean => /^cn[0-9a-f]{11}$/.test(name)

/** What to do to connect one pod. */
export interface Wiring {
  /** For `ip -batch` in the pod's namespace. */
  readonly inside: readonly string[]
  /** For `ip -batch` in the node's namespace, afterwards. */
  readonly outside: readonly string[]
}

export interface WiringFacts {
  readonly link: string
  readonly ip: string
  readonly mtu: number
  /** The node's namespace as the pod's side sees it: a process id or a path. */
  readonly nodeNetns: string
}

/** A local hardware address made of the address, so that it is the same again after a restart. */
export function hardwareAddress(ip: string): string {
  const value = parseAddress(ip) ?? 0
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256)
  return ['0a', '58', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

/** Pure. Both neighbours are written down, so that the first packet needs no question. */
export function wire({ link, ip, mtu, nodeNetns }: WiringFacts): Wiring {
  const hardware = hardwareAddress(ip)
  return {
    inside: [
      'link set lo up',
      `link add eth0 mtu ${mtu} address ${hardware} type veth peer name ${link} mtu ${mtu} address ${gatewayHardware} netns ${nodeNetns}`,
      `addr add ${ip}/32 dev eth0`,
      'link set eth0 up',
      `route add ${gateway} dev eth0 scope link`,
      `route add default via ${gateway} dev eth0`,
      `neigh replace ${gateway} lladdr ${gatewayHardware} dev eth0 nud permanent`,
    ],
    outside: [
      `link set ${link} up`,
      `route replace ${ip}/32 dev ${link} scope link proto ${routeProtocol}`,
      `neigh replace ${ip} lladdr ${hardware} dev ${link} nud permanent`,
    ],
  }
}
