import { formatAddress, parseAddress } from '../service-allocator/ranges.ts'

/** A range of IPv4 addresses that is divided into equal parts, one for each node. */
export interface DividedRange {
  readonly cidr: string
  readonly base: number
  /** Bits of each part's prefix. */
  readonly prefix: number
  /** Number of parts. */
  readonly parts: number
}

interface Block {
  readonly base: number
  readonly size: number
  readonly prefix: number
}

/** Reads `10.244.0.0/16`; undefined when it is none, or its address is not its first. */
export function parseBlock(cidr: string): Block | undefined {
  const [address = '', bits = ''] = cidr.split('/')
  const base = parseAddress(address)
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN
  if (base === undefined || !(prefix >= 0 && prefix <= 32)) return undefined
  const size = 2 ** (32 - prefix)
  return base % size === 0 ? { base, size, prefix } : undefined
}

/** Undefined unless the range divides into 1 to 65,536 parts of at least four addresses. */
export function divide(cidr: string, prefix: number): DividedRange | undefined {
  const block = parseBlock(cidr)
  if (block === undefined || block.prefix < 8 || prefix < block.prefix || prefix > 30 || prefix - block.prefix > 16) return undefined
  return { cidr, base: block.base, prefix, parts: 2 ** (prefix - block.prefix) }
}

export const partAt = ({ base, prefix }: DividedRange, index: number): string =>
  `${formatAddress(base + index * 2 ** (32 - prefix))}/${prefix}`

/** Indices of the parts that a range of whatever size touches. */
export function partsOf(range: DividedRange, cidr: string): readonly number[] {
  const block = parseBlock(cidr)
  if (block === undefined) return []
  const size = 2 ** (32 - range.prefix)
  const first = Math.max(0, Math.floor((block.base - range.base) / size))
  const last = Math.min(range.parts - 1, Math.floor((block.base + block.size - 1 - range.base) / size))
  return last < first ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
