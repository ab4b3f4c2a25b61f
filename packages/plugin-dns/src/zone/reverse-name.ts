import { isIPv4, isIPv6 } from 'node:net'

/** The 32 hexadecimal digits of an IPv6 address; nothing when it is none, or has a zone. */
function nibbles(address: string): string | undefined {
  if (!isIPv6(address) || address.includes('%')) return undefined
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high = '0', low = '0'): string => ((Number(high) << 8) | Number(low)).toString(16)
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [head = '', tail] = plain.split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0')
  return [...first, ...(tail === undefined ? [] : zeros), ...last]
    .map((group) => group.padStart(4, '0'))
    .join('')
    .toLowerCase()
}

/** The name under which an address is looked up backwards; nothing for what is no address. */
export function reverseName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const digits = nibbles(address)
  return digits === undefined ? undefined : `${[...digits].reverse().join('.')}.ip6.arpa`
}

/** The address that a pod's or a nameless endpoint's label stands for: `10-0-0-1`, `2001-db8--1`. */
export function labelAddress(label: string): string | undefined {
  const dotted = label.replaceAll('-', '.')
  if (isIPv4(dotted)) return dotted
  const coloned = label.replaceAll('-', ':')
  return isIPv6(coloned) ? coloned : undefined
}

/** The label of an endpoint that has no host name. A label neither begins nor ends with a dash. */
export const addressLabel = (address: string): string => address.replace(/[.:]/g, '-').replace(/^-/, '0-').replace(/-$/, '-0')

export const familyOf = (address: string): 'A' | 'AAAA' => (address.includes(':') ? 'AAAA' : 'A')

/** The address that a reverse name stands for; nothing for any other name. */
export function reverseAddress(name: string): string | undefined {
  if (name.endsWith('.in-addr.arpa')) {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.')
    return isIPv4(address) ? address : undefined
  }
  if (!name.endsWith('.ip6.arpa')) return undefined
  const digits = name.slice(0, -'.ip6.arpa'.length).split('.').reverse()
  const address = (digits.join('').match(/.{4}/g) ?? []).join(':')
  return digits.length === 32 && isIPv6(address) ? address : undefined
}
