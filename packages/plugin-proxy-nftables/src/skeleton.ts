import type { AddressFamily } from '@continuo/workload'
import { words } from './nft-words.ts'
import { marked } from './signature.ts'

export interface SkeletonOptions {
  readonly family: AddressFamily
  /** Addresses of pods; what comes from elsewhere to a cluster IP is masqueraded. Empty: nothing is. */
  readonly podRanges: readonly string[]
  /** Addresses that answer on node ports; empty: all of the node except loopback. */
  readonly nodePortRanges: readonly string[]
  /** One bit of the packet mark, set between the choice of an endpoint and postrouting. */
  readonly masqueradeMark: number
}

/** Services with more endpoints have a chain of their own. */
export const mostSlots = 8

/**
 * The part of the table that is the same whatever services there are: base chains, the maps in which services stand, and for each
 * number of endpoints the chains that choose one. A packet passes one lookup to its service, one die and one lookup to its endpoint. Pure.
 */
export function skeleton(options: SkeletonOptions): ReadonlyMap<string, string> {
  const { family, podRanges, nodePortRanges, masqueradeMark } = options
  const { ip, address, loopback } = words[family]
  const made = new Map<string, string>()
  const chain = (name: string, ...rules: readonly string[]): void => {
    made.set(`chain ${name}`, rules.map((rule) => (rule.startsWith('type ') ? rule : marked(rule))).join('\n'))
  }
  const ranges = (name: string, list: readonly string[]): void => {
    if (list.length === 0) return
    made.set(`set ${name}`, `type ${address}; flags interval;`)
    for (const range of list) made.set(`element ${name} ${range}`, '')
  }
  const bit = `0x${masqueradeMark.toString(16)}`
  const tuple = `${ip} daddr . meta l4proto . th dport`
  const port = 'meta l4proto . th dport'
  const toNode = `fib daddr type local ${ip} daddr ${nodePortRanges.length === 0 ? `!= ${loopback}` : '@node-port-range'}`

  ranges('pod-range', podRanges)
  ranges('node-port-range', nodePortRanges)
  made.set('map service', `type ${address} . inet_proto . inet_service : verdict;`)
  made.set('map node-port', 'type inet_proto . inet_service : verdict;')
  made.set('map no-endpoint', `type ${address} . inet_proto . inet_service : verdict;`)
  made.set('map no-endpoint-port', 'type inet_proto . inet_service : verdict;')
  made.set('set cluster-ip', `type ${address};`)
  made.set('set hairpin', `type ${address} . ${address};`)

  chain('prerouting', 'type nat hook prerouting priority -100;', 'jump services')
  chain('output', 'type nat hook output priority -100;', 'jump services')
  chain('services', `${tuple} vmap @service`, `${toNode} ${port} vmap @node-port`)

  chain('mark-masquerade', `meta mark set meta mark | ${bit}`)
  chain(
    'postrouting',
    'type nat hook postrouting priority 100;',
    `meta mark & ${bit} != 0 meta mark set meta mark ^ ${bit} masquerade fully-random`,
    // Sent by an endpoint to its own service: without it the endpoint would answer itself, and past us.
    `ct status dnat ${ip} saddr . ${ip} daddr @hairpin masquerade fully-random`,
  )

  // After the choice of an endpoint: what still goes to a service's address has none.
  for (const hook of ['input', 'forward', 'output'])
    chain(`without-endpoint-${hook}`, `type filter hook ${hook} priority -10;`, 'ct state new ct status & dnat == 0 jump without-endpoint')
  chain('without-endpoint', `${tuple} vmap @no-endpoint`, `${toNode} ${port} vmap @no-endpoint-port`, `${ip} daddr @cluster-ip goto refuse`)
  // A reset, because the kernel sends a client no more than one ICMP message a second.
  chain('refuse', 'meta l4proto tcp reject with tcp reset', 'reject')

  for (let slot = 0; slot < mostSlots; slot++) {
    made.set(`map endpoint-${slot}`, `type ${address} . inet_proto . inet_service : ${address} . inet_service;`)
    made.set(`map port-endpoint-${slot}`, `type inet_proto . inet_service : ${address} . inet_service;`)
    // nft wants to see that the protocol has ports.
    chain(`endpoint-${slot}`, `meta l4proto { tcp, udp, sctp } dnat ${ip} addr . port to ${tuple} map @endpoint-${slot}`)
    chain(`port-endpoint-${slot}`, `meta l4proto { tcp, udp, sctp } dnat ${ip} addr . port to ${port} map @port-endpoint-${slot}`)
  }
  const fromElsewhere = podRanges.length === 0 ? [] : [`${ip} saddr != @pod-range jump mark-masquerade`]
  for (let count = 1; count <= mostSlots; count++) {
    const choose = (slots: string): string =>
      count === 1
        ? `goto ${slots}-0`
        : `numgen random mod ${count} vmap { ${Array.from({ length: count }, (_, slot) => `${slot} : goto ${slots}-${slot}`).join(', ')} }`
    chain(`cluster-${count}`, ...fromElsewhere, choose('endpoint'))
    chain(`external-${count}`, 'jump mark-masquerade', choose('endpoint'))
    chain(`node-port-${count}`, 'jump mark-masquerade', choose('port-endpoint'))
  }
  return made
}
