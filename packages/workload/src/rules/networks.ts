import { type FieldError, fieldError } from '@continuo/core'
import { addressFamily } from './values.ts'

/** A range of addresses: `10.0.0.0/8`. */
export interface Network {
  readonly family: 4 | 6
  readonly address: bigint
  /** Length of the prefix. */
  readonly bits: number
}

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** An address in its one canonical notation: IPv6 in lower case, shortened. Undefined for what is no address. */
export function canonicalAddress(address: string): string | undefined {
  const family = addressFamily(address)
  if (family === undefined) return undefined
  return family === 4 ? address : new URL(`http://[${address}]/`).hostname.slice(1, -1)
}

function toNumber(address: string, family: 4 | 6): bigint {
  if (family === 4) return address.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)
  const [head = '', tail = ''] = (canonicalAddress(address) as string).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** Undefined for what is no range of addresses. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', prefix = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const family = addressFamily(address)
  const bits = Number(prefix)
  if (family === undefined || bits > width(family)) return undefined
  return { family, address: toNumber(address, family), bits }
}

const hostMask = ({ family, bits }: Network): bigint => (1n << BigInt(width(family) - bits)) - 1n

/** True when every address of `inner` is one of `outer`, and `outer` has more. */
export const isStrictlyWithin = (inner: Network, outer: Network): boolean =>
  inner.family === outer.family && inner.bits > outer.bits && (inner.address & ~hostMask(outer)) === (outer.address & ~hostMask(outer))

const malformed = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** A range of addresses, in any notation. */
export function checkNetwork(text: string, path: string, errors: FieldError[]): void {
  if (parseNetwork(text) === undefined) errors.push(fieldError.invalid(path, text, malformed))
}

/** A range of addresses in canonical notation, without bits behind its prefix. */
export function checkCanonicalNetwork(text: string, path: string, errors: FieldError[]): void {
  const network = parseNetwork(text)
  const [address = ''] = text.split('/')
  if (network === undefined) errors.push(fieldError.invalid(path, text, malformed))
  else if ((network.address & hostMask(network)) !== 0n)
    errors.push(fieldError.invalid(path, text, 'must not have bits set beyond the prefix length'))
  else if (canonicalAddress(address) !== address)
    errors.push(
      fieldError.invalid(path, text, `must be in canonical form (${JSON.stringify(`${canonicalAddress(address)}/${network.bits}`)})`),
    )
}
