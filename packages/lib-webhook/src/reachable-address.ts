import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Addresses at which no webhook is: of this link (among them the metadata services of clouds), of nobody, of groups. */
const unreachable = new BlockList()
unreachable.addSubnet('169.254.0.0', 16, 'ipv4')
unreachable.addAddress('0.0.0.0', 'ipv4')
unreachable.addSubnet('224.0.0.0', 4, 'ipv4')
unreachable.addAddress('255.255.255.255', 'ipv4')
unreachable.addSubnet('fe80::', 10, 'ipv6')
unreachable.addAddress('::', 'ipv6')
unreachable.addSubnet('ff00::', 8, 'ipv6')

/** Whether a webhook may be at this address. Addresses of IPv4 in the notation of IPv6 are those of IPv4. */
export const isReachable = (address: string): boolean => !unreachable.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Error of a name all of whose addresses are refused. */
export class RefusedAddressError extends RangeError {
  readonly code = 'EADDRREFUSED'
}

/**
 * Looks a name up for the one connection that asks. What is checked is what is dialled: nobody can answer the check with one address
 * and the connection with another.
 */
export const checkedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 0)
    const allowed = addresses.filter(({ address }) => isReachable(address))
    const [first] = allowed
    if (first === undefined) return callback(new RefusedAddressError(`${hostname} has no address that may be called`), '', 0)
    if (options.all === true) callback(null, allowed)
    else callback(null, first.address, first.family)
  })
}
