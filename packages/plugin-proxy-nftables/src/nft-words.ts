import type { AddressFamily } from '@continuo/workload'

interface FamilyWords {
  /** The selector of its header. */
  readonly ip: string
  /** The type of its addresses. */
  readonly address: string
  readonly loopback: string
}

/** How each address family is written in nft. */
export const words: Readonly<Record<AddressFamily, FamilyWords>> = {
  ip: { ip: 'ip', address: 'ipv4_addr', loopback: '127.0.0.0/8' },
  ip6: { ip: 'ip6', address: 'ipv6_addr', loopback: '::1' },
}
