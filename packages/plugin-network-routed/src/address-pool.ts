import { RuntimeError } from '@continuo/workload'

/** A range of IPv4 addresses, as unsigned numbers. */
export interface AddressRange {
  readonly cidr: string
  readonly base: number
  readonly size: number
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}

export const formatAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** Reads `10.244.1.0/24`; undefined when it is no IPv4 range or its address is not its first. */
export function parseRange(cidr: string): AddressRange | undefined {
  const [address = '', bits = ''] = cidr.split('/')
  const base = parseAddress(address)
  const prefix = /^\d{1,2}$/.test(bits) ? Number(bits) : Number.NaN
  if (base === undefined || !(prefix >= 8 && prefix <= 30)) return undefined
  const size = 2 ** (32 - prefix)
  return base % size === 0 ? { cidr, base, size } : undefined
}

/**
 * Hands out the addresses of a node's ranges, none twice; the first and the last of each stay free. It goes on behind the address given
 * last, so that a freed one rests as long as the range allows: connections of the pod before have ended by then.
 */
export class AddressPool {
  readonly #used = new Set<string>()
  #ranges: readonly AddressRange[] = []
  #next = 0

  get ranges(): readonly AddressRange[] {
    return this.#ranges
  }

  /** From now on addresses come from these. What was given before stays given. */
  setRanges(ranges: readonly AddressRange[]): void {
    this.#ranges = ranges
  }

  /** Marks an address of a restored sandbox; the search goes on behind it. */
  claim(address: string): void {
    this.#used.add(address)
    const value = parseAddress(address)
    let before = 0
    for (const { base, size } of this.#ranges) {
      if (value !== undefined && value >= base && value < base + size) this.#next = before + value - base + 1
      before += size
    }
  }

  release(address: string): void {
    this.#used.delete(address)
  }

  /** @throws RuntimeError `RUNTIME_UNAVAILABLE` when all are taken. */
  allocate(): string {
    const total = this.#ranges.reduce((sum, { size }) => sum + size, 0)
    for (let tried = 0; tried < total; tried++) {
      const address = this.#at((this.#next + tried) % total)
      if (address === undefined || this.#used.has(address)) continue
      this.#used.add(address)
      this.#next = (this.#next + tried + 1) % total
      return address
    }
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `no free address in ${this.#ranges.map(({ cidr }) => cidr).join(', ')}`, {
      hint: 'the node has as many pods as addresses: give nodes larger ranges (nodeIpam), or fewer pods (maxPods)',
    })
  }

  #at(offset: number): string | undefined {
    let rest = offset
    for (const { base, size } of this.#ranges) {
      if (rest < size) return rest === 0 || rest === size - 1 ? undefined : formatAddress(base + rest)
      rest -= size
    }
    return undefined
  }
}
