import { CelEvaluationError } from '../cel-error.ts'
import { OpaqueValue } from '../values/value.ts'
import {
  type IpAddress, isGlobalUnicast, isLinkLocalMulticast, isLinkLocalUnicast, isLoopback, isUnspecified, parseIp, showIp,
} from './ip-address.ts' // biome-ignore format: one table
import { fn, method, type Overload, walksFirst } from './overload.ts'

class IpValue extends OpaqueValue {
  readonly typeName = 'net.IP'
  readonly address: IpAddress

  constructor(address: IpAddress) {
    super()
    this.address = address
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && other.address.family === this.address.family && other.address.bits === this.address.bits
  }
}

class CidrValue extends OpaqueValue {
  readonly typeName = 'net.CIDR'
  readonly address: IpAddress
  readonly length: number

  constructor(address: IpAddress, length: number) {
    super()
    this.address = address
    this.length = length
  }

  override equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && other.length === this.length && showIp(other.address) === showIp(this.address)
  }

  get #shift(): bigint {
    return BigInt((this.address.family === 4 ? 32 : 128) - this.length)
  }

  contains({ family, bits }: IpAddress): boolean {
    return family === this.address.family && bits >> this.#shift === this.address.bits >> this.#shift
  }

  masked(): CidrValue {
    return new CidrValue({ family: this.address.family, bits: (this.address.bits >> this.#shift) << this.#shift }, this.length)
  }
}

function readIp(text: string): IpValue {
  const address = parseIp(text)
  if (address === undefined)
    throw new CelEvaluationError(`IP Address ${JSON.stringify(text.slice(0, 100))} parse error during conversion from string`)
  return new IpValue(address)
}

function parseCidr(text: string): CidrValue | undefined {
  const [, ip = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseIp(ip)
  return address === undefined || Number(length) > (address.family === 4 ? 32 : 128) ? undefined : new CidrValue(address, Number(length))
}

function readCidr(text: string): CidrValue {
  const cidr = parseCidr(text)
  if (cidr === undefined)
    throw new CelEvaluationError(`network address parse error during conversion from string: ${JSON.stringify(text.slice(0, 100))}`)
  return cidr
}

const containsCidr = (outer: CidrValue, inner: CidrValue): boolean => outer.length <= inner.length && outer.contains(inner.address)
const predicates = { isUnspecified, isLoopback, isLinkLocalMulticast, isLinkLocalUnicast, isGlobalUnicast }

export const addresses: readonly Overload[] = [
  fn('ip(string): ip', readIp, walksFirst),
  fn('isIP(string): bool', (text: string) => parseIp(text) !== undefined, walksFirst),
  fn('ip.isCanonical(string): bool', (text: string) => showIp(readIp(text).address) === text, walksFirst),
  fn('string(ip): string', ({ address }: IpValue) => showIp(address), { size: () => 39 }),
  method('ip', 'family(): int', ({ address }: IpValue) => BigInt(address.family)),
  ...Object.entries(predicates).map(([name, test]) => method('ip', `${name}(): bool`, ({ address }: IpValue) => test(address))),
  fn('cidr(string): cidr', readCidr, walksFirst),
  fn('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined, walksFirst),
  fn('string(cidr): string', ({ address, length }: CidrValue) => `${showIp(address)}/${length}`, { size: () => 43 }),
  method('cidr', 'containsIP(ip): bool', (cidr: CidrValue, { address }: IpValue) => cidr.contains(address)),
  method('cidr', 'containsIP(string): bool', (cidr: CidrValue, text: string) => cidr.contains(readIp(text).address)),
  method('cidr', 'containsCIDR(cidr): bool', containsCidr),
  method('cidr', 'containsCIDR(string): bool', (cidr: CidrValue, text: string) => containsCidr(cidr, readCidr(text))),
  method('cidr', 'ip(): ip', ({ address }: CidrValue) => new IpValue(address)),
  method('cidr', 'masked(): cidr', (cidr: CidrValue) => cidr.masked()),
  method('cidr', 'prefixLength(): int', ({ length }: CidrValue) => BigInt(length)),
]
