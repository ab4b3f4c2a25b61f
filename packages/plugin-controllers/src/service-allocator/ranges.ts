/** A range of IPv4 addresses. The network's and the broadcast address are never given out. */
export interface AddressRange {
  readonly cidr: string
  readonly first: number
  readonly size: number
}

/** Inclusive bounds. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined
  return parts.reduce((address, part) => address * 256 + Number(part), 0)
}

export const formatAddress = (address: number): string => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')

/** Reads `127.96.0.0/16`; undefined when it is none, or holds fewer than two addresses that can be given. */
export function parseRange(cidr: string): AddressRange | undefined {
  const [base = '', bits = ''] = cidr.split('/')
  const address = parseAddress(base)
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN
  if (address === undefined || !(prefix >= 8 && prefix <= 29)) return undefined
  const total = 2 ** (32 - prefix)
  return address % total === 0 ? { cidr, first: address + 1, size: total - 2 } : undefined
}

export const inRange = ({ first, size }: AddressRange, address: number): boolean => address >= first && address < first + size

/** The lowest part of a range is left to those who ask for a certain value (KEP-3070, KEP-3668): a sixteenth, 16 to 256 values. */
export const reservedSize = (size: number): number => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256))

export const parsePorts = (text: string): PortRange | undefined => {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
  const range = { first: Number(first), last: Number(last) }
  return range.first > 0 && range.last <= 65_535 && range.first <= range.last ? range : undefined
}

/**
 * Offsets of a range in the order in which they are tried: a few at random above the reserved part,
 * then all above it, then the reserved part.
 */
export function* candidates(size: number, random: () => number): Generator<number> {
  const reserved = reservedSize(size)
  const open = size - reserved
  for (let attempt = 0; attempt < 16; attempt++) yield reserved + Math.floor(random() * open)
  const start = Math.floor(random() * open)
  for (let offset = 0; offset < open; offset++) yield reserved + ((start + offset) % open)
  for (let offset = 0; offset < reserved; offset++) yield offset
}
