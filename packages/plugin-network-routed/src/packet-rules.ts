import type { HostPort } from '@continuo/workload'

/** Everything that our table of rules depends on. */
export interface RuleFacts {
  readonly table: string
  /** Where this node's pods have their addresses. */
  readonly podRanges: readonly string[]
  /** Destinations that see the pods' own addresses. */
  readonly clusterRanges: readonly string[]
  readonly ports: readonly (HostPort & { readonly ip: string })[]
}

const elements = (list: readonly string[]): string => (list.length === 0 ? '' : `elements = { ${[...new Set(list)].join(', ')} }`)

const everywhere = (hostIP: string | undefined): boolean => hostIP === undefined || hostIP === '' || hostIP === '0.0.0.0'

/**
 * The whole table as input of `nft -f`, which replaces it in one transaction. Pure.
 *
 * What leaves the cluster leaves with the node's address. A port of the node leads to its pod from outside, from pods and from the node itself,
 * also by the node's loopback address; a pod that reaches itself this way gets its answer, because it sees the node as the client.
 */
export function packetRules({ table, podRanges, clusterRanges, ports }: RuleFacts): string {
  // The first of two that want the same port has it.
  const anyAddress = new Map<string, string>()
  const oneAddress = new Map<string, string>()
  for (const { hostIP, hostPort, protocol, containerPort, ip } of ports) {
    const [into, key] = everywhere(hostIP)
      ? [anyAddress, `${protocol.toLowerCase()} . ${hostPort}`]
      : [oneAddress, `${hostIP} . ${protocol.toLowerCase()} . ${hostPort}`]
    if (!into.has(key)) into.set(key, `${ip} . ${containerPort}`)
  }
  const entries = (map: ReadonlyMap<string, string>): string => elements([...map].map(([key, value]) => `${key} : ${value}`))
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  set pods { type ipv4_addr; flags interval; ${elements(podRanges)} }
  set cluster { type ipv4_addr; flags interval; auto-merge; ${elements([...podRanges, ...clusterRanges])} }
  set itself { type ipv4_addr . ipv4_addr; ${elements(ports.map(({ ip }) => `${ip} . ${ip}`))} }
  map ports { type inet_proto . inet_service : ipv4_addr . inet_service; ${entries(anyAddress)} }
  map address_ports { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${entries(oneAddress)} }
  chain node_ports {
    dnat to ip daddr . meta l4proto . th dport map @address_ports
    dnat to meta l4proto . th dport map @ports
  }
  chain prerouting {
    type nat hook prerouting priority -105; policy accept;
    fib daddr type local meta l4proto { tcp, udp, sctp } jump node_ports
  }
  chain output {
    type nat hook output priority -105; policy accept;
    fib daddr type local meta l4proto { tcp, udp, sctp } jump node_ports
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 127.0.0.0/8 ip daddr @pods masquerade
    ip saddr . ip daddr @itself masquerade
    ip saddr @pods ip daddr != @cluster ip daddr != 224.0.0.0/4 masquerade
  }
}
`
}
