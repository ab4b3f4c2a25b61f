import { isIPv4, isIPv6 } from 'node:net'

/** An address as a number of 32 or 128 bits. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** Reads an address strictly: no zone, no leading zeros, no IPv4 in IPv6. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, bits: text.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const last = dotted === null ? undefined : parseIp(dotted[2] as string)?.bits
  const plain = last === undefined ? text : `${dotted?.[1]}${(last >> 16n).toString(16)}:${(last & 0xffffn).toString(16)}`
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const before = groups(head)
  const after = groups(tail ?? '')
  const all = tail === undefined ? before : [...before, ...new Array<string>(8 - before.length - after.length).fill('0'), ...after]
  const bits = all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
  return bits >> 32n === 0xffffn ? undefined : { family: 6, bits }
}

/** The canonical text of an address (RFC 5952). */
export function showIp({ family, bits }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  let longest = { start: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (groups[i + length] === '0') length++
    if (length > longest.length) longest = { start: i, length }
  }
  if (longest.start < 0) return groups.join(':')
  return `${groups.slice(0, longest.start).join(':')}::${groups.slice(longest.start + longest.length).join(':')}`
}

const within = (address: IpAddress, prefix: string, length: number): boolean => {
  const base = parseIp(prefix) as IpAddress
  const shift = BigInt((base.family === 4 ? 32 : 128) - length)
  return address.family === base.family && address.bits >> shift === base.bits >> shift
}

export const isUnspecified = ({ bits }: IpAddress): boolean => bits === 0n
export const isLoopback = (ip: IpAddress): boolean => (ip.family === 4 ? within(ip, '127.0.0.0', 8) : ip.bits === 1n)
export const isLinkLocalMulticast = (ip: IpAddress): boolean =>
  ip.family === 4 ? within(ip, '224.0.0.0', 24) : ((ip.bits >> 112n) & 0xff0fn) === 0xff02n
export const isLinkLocalUnicast = (ip: IpAddress): boolean => (ip.family === 4 ? within(ip, '169.254.0.0', 16) : within(ip, 'fe80::', 10))
const isMulticast = (ip: IpAddress): boolean => (ip.family === 4 ? within(ip, '224.0.0.0', 4) : within(ip, 'ff00::', 8))
const isBroadcast = (ip: IpAddress): boolean => ip.family === 4 && ip.bits === 0xffffffffn
export const isGlobalUnicast = (ip: IpAddress): boolean =>
  !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip) && !isBroadcast(ip)
