import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { RuntimeError } from '@continuo/workload'

/** IPv4 addresses as unsigned numbers, both ends included. */
export interface AddressRange {
  readonly first: number
  readonly last: number
}

export const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

export const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** Parses `127.64.0.0/12`. Throws `RUNTIME_INVALID_SPEC` unless it lies within 127.0.0.0/8. */
export function parseRange(cidr: string): AddressRange {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr)
  const bits = Number(match?.[2])
  if (
    match?.[1] === undefined ||
    !(bits >= 8 && bits <= 31) ||
    !match[1].startsWith('127.') ||
    match[1].split('.').some((part) => Number(part) > 255)
  )
    throw new RuntimeError('RUNTIME_INVALID_SPEC', `addresses: ${cidr} is not a range of loopback addresses`, {
      hint: 'for example 127.64.0.0/12',
    })
  const size = 2 ** (32 - bits)
  const first = Math.floor(toNumber(match[1]) / size) * size
  return { first, last: first + size - 1 }
}

/** The local addresses in `/proc/net/tcp` on which somebody listens. */
export function parseListeners(text: string): Set<string> {
  const listening = new Set<string>()
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state] = line.trim().split(/\s+/)
    const hex = local.split(':')[0] ?? ''
    if (state === '0A' && hex.length === 8) listening.add([6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.'))
  }
  return listening
}

const readListeners = async (): Promise<Set<string>> => parseListeners(await readFile('/proc/net/tcp', 'latin1').catch(() => ''))

/** Resolves true when a socket can be bound to the address. */
function binds(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: address, port: 0, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** How many addresses are tried before giving up. */
const attempts = 256

/**
 * Hands out loopback addresses, none twice. It remembers nothing on disk itself: the caller stores the address with the sandbox
 * and names those in use. The search begins at a place that depends on `seed`, so that two runtimes on one machine hardly meet,
 * and goes on behind the last address given, so that a freed one rests.
 */
export class AddressPool {
  readonly #range: AddressRange
  readonly #used = new Set<string>()
  #next: number

  constructor(range: AddressRange, seed: string) {
    this.#range = range
    const size = range.last - range.first + 1
    this.#next = range.first + (createHash('sha256').update(seed).digest().readUInt32BE(0) % size)
  }

  /** Marks an address as in use. */
  claim(address: string): void {
    this.#used.add(address)
  }

  release(address: string): void {
    this.#used.delete(address)
  }

  /** A free address that can be bound and on which nobody listens. Throws `RUNTIME_UNAVAILABLE` when none is found. */
  async allocate(): Promise<string> {
    const listening = await readListeners()
    const { first, last } = this.#range
    const size = last - first + 1
    for (let tried = 0; tried < Math.min(size, this.#used.size + attempts); tried++) {
      const candidate = this.#next
      this.#next = candidate === last ? first : candidate + 1
      const address = toAddress(candidate)
      const ending = candidate % 256
      if (ending === 0 || ending === 255 || this.#used.has(address) || listening.has(address)) continue
      this.#used.add(address)
      if (await binds(address)) return address
      this.#used.delete(address)
    }
    throw new RuntimeError('RUNTIME_UNAVAILABLE', `no free loopback address in ${toAddress(first)}–${toAddress(last)}`, {
      hint: 'addresses of 127.0.0.0/8 bind without configuration on Linux; set `addresses` to a range that does',
    })
  }
}
