import { BlockList, isIP } from 'node:net'

/** Addresses that lead to this machine itself, its links (among them the metadata services of clouds), groups, or nowhere. */
const refused = new BlockList()
refused.addSubnet('127.0.0.0', 8, 'ipv4')
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('0.0.0.0', 8, 'ipv4')
refused.addSubnet('224.0.0.0', 4, 'ipv4')
refused.addAddress('255.255.255.255', 'ipv4')
refused.addAddress('::1', 'ipv6')
refused.addAddress('::', 'ipv6')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addSubnet('ff00::', 8, 'ipv6')

/** Whether requests may be forwarded to this address. Only an address will do: a name could mean another one when it is dialled. Pure. */
export function isProxyable(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !refused.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
