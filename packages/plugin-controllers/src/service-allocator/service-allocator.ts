import {
  type AdmissionRequest,
  ApiError,
  ContinuoError,
  type DeepReadonly,
  definePlugin,
  type FieldError,
  fieldError,
  formatKey,
  invalid,
  keyOf,
} from '@continuo/core'
import type { Service, ServicePort } from '@continuo/workload'
import { z } from 'zod'
import { endsWith, goesNow } from '../claims/object-ends.ts'
import { type AddressRange, candidates, formatAddress, inRange, type PortRange, parseAddress, parsePorts, parseRange } from './ranges.ts'
import { type Held, heldBy, isHeadless, needsAddress, needsHealthPort, needsPorts, nothingHeld } from './wants.ts'

const config = z
  .strictObject({
    serviceRange: z
      .string()
      .refine((text) => parseRange(text) !== undefined, 'must be an IPv4 range such as 127.96.0.0/16, with a prefix of 8 to 29 bits')
      .default('127.96.0.0/16')
      .describe('Cluster IPs are given from this range. The userspace proxy needs one on the loopback network.'),
    nodePorts: z
      .string()
      .refine((text) => parsePorts(text) !== undefined, 'must be two ports such as 30000-32767')
      .default('30000-32767')
      .describe('Node ports are given from this range, both ends included.'),
  })
  .prefault({})

/** Gives services their cluster IPs and node ports, claimed in the very commit that stores the service. */
export const serviceAllocator = definePlugin({
  name: 'service-allocator',
  api: '^1',
  config,
  setup(ctx) {
    const addresses = parseRange(ctx.config.serviceRange)
    const ports = parsePorts(ctx.config.nodePorts)
    if (addresses === undefined || ports === undefined)
      throw new ContinuoError('SERVICE_ALLOCATOR_RANGE', `range ${ctx.config.serviceRange} or ${ctx.config.nodePorts} is invalid`)
    const allocator = new ServiceAllocator(addresses, ports, () => ctx.random.next())
    ctx.admission({ mutate: (request) => (isService(request) ? allocator.admit(request) : undefined) })
  },
})

const isService = ({ resource, subresource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.resource === 'services' && (subresource === undefined || subresource === '')

const addressClaim = (address: string): string => `allocations/service-addresses/${address}`
const portClaim = (port: number): string => `allocations/service-node-ports/${port}`

/** Fills in and claims what a service needs. Claims that another request takes first make core run this again. */
export class ServiceAllocator {
  readonly #addresses: AddressRange
  readonly #ports: PortRange
  readonly #random: () => number

  constructor(addresses: AddressRange, ports: PortRange, random: () => number) {
    this.#addresses = addresses
    this.#ports = ports
    this.#random = random
  }

  async admit(request: AdmissionRequest): Promise<void> {
    const old = request.oldObject as DeepReadonly<Service> | undefined
    const held = heldBy(old)
    if (request.operation === 'DELETE') {
      if (old !== undefined && endsWith(request, old)) release(request, held, nothingHeld)
      return
    }
    const next = request.object as unknown as Service
    if (old !== undefined && goesNow(next, next.metadata.finalizers)) return release(request, held, nothingHeld)
    const claims = new Claims(request, held)
    this.#setFamilies(next, claims)
    await this.#giveAddress(next, claims)
    await this.#givePorts(next, claims)
    claims.finish(next.metadata.name)
    release(request, held, heldBy(next))
  }

  #setFamilies(service: Service, claims: Claims): void {
    const spec = service.spec
    if (spec === undefined || spec.type === 'ExternalName') return
    const unrestricted = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0
    if (unrestricted) {
      spec.ipFamilies ??= ['IPv4', 'IPv6']
      spec.ipFamilyPolicy ??= 'RequireDualStack'
      return
    }
    if (spec.ipFamilies?.includes('IPv6') === true && spec.ipFamilyPolicy !== 'PreferDualStack') {
      const index = spec.ipFamilies.indexOf('IPv6')
      claims.refuse(fieldError.invalid(`spec.ipFamilies[${index}]`, 'IPv6', 'not configured on this cluster'))
    }
    if (spec.ipFamilyPolicy === 'RequireDualStack')
      claims.refuse(fieldError.invalid('spec.ipFamilyPolicy', 'RequireDualStack', 'this cluster is not configured for dual-stack services'))
    spec.ipFamilyPolicy ??= 'SingleStack'
    spec.ipFamilies = ['IPv4']
  }

  async #giveAddress(service: Service, claims: Claims): Promise<void> {
    const spec = service.spec
    if (spec === undefined || spec.type === 'ExternalName') return
    if (isHeadless(service)) {
      spec.clusterIP = 'None'
      spec.clusterIPs = ['None']
      return
    }
    const wanted = spec.clusterIP || spec.clusterIPs?.[0]
    if (!needsAddress(service)) return
    const address = wanted ? await this.#claimAddress(wanted, claims) : await this.#freeAddress(claims)
    spec.clusterIP = address
    spec.clusterIPs = [address]
  }

  async #claimAddress(wanted: string, claims: Claims): Promise<string> {
    if (claims.held.addresses.has(wanted)) return wanted
    const number = parseAddress(wanted)
    // What is no address at all is for validation to refuse.
    if (number === undefined) return wanted
    const fail = (why: string): void =>
      claims.refuse(fieldError.invalid('spec.clusterIPs', [wanted], `failed to allocate IP ${wanted}: ${why}`))
    if (!inRange(this.#addresses, number))
      fail(`the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${this.#addresses.cidr}`)
    else if (!(await claims.take(addressClaim(wanted)))) fail('provided IP is already allocated')
    return wanted
  }

  async #freeAddress(claims: Claims): Promise<string> {
    for (const offset of candidates(this.#addresses.size, this.#random)) {
      const address = formatAddress(this.#addresses.first + offset)
      if (await claims.take(addressClaim(address))) return address
    }
    throw new ApiError('InternalError', 'Internal error occurred: failed to allocate a serviceIP: range is full')
  }

  async #givePorts(service: Service, claims: Claims): Promise<void> {
    const spec = service.spec
    if (spec === undefined || (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer')) return
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (port.nodePort) await this.#claimPort(port.nodePort, `spec.ports[${index}].nodePort`, claims)
      else if (needsPorts(service)) port.nodePort = sharedPort(spec.ports ?? [], port) ?? (await this.#freePort(claims))
    }
    if (!needsHealthPort(service)) return
    if (spec.healthCheckNodePort) await this.#claimPort(spec.healthCheckNodePort, 'spec.healthCheckNodePort', claims)
    else spec.healthCheckNodePort = await this.#freePort(claims)
  }

  async #claimPort(port: number, field: string, claims: Claims): Promise<void> {
    if (claims.held.ports.has(port)) return
    const { first, last } = this.#ports
    if (port < first || port > last)
      claims.refuse(
        fieldError.invalid(field, port, `provided port is not in the valid range. The range of valid ports is ${first}-${last}`),
      )
    else if (!(await claims.take(portClaim(port)))) claims.refuse(fieldError.invalid(field, port, 'provided port is already allocated'))
  }

  async #freePort(claims: Claims): Promise<number> {
    const { first, last } = this.#ports
    for (const offset of candidates(last - first + 1, this.#random))
      if (!claims.has(portClaim(first + offset)) && (await claims.take(portClaim(first + offset)))) return first + offset
    throw new ApiError('InternalError', 'Internal error occurred: failed to allocate a nodePort: range is full')
  }
}

/** The same port number under another protocol shares its node port, as DNS on UDP and TCP does. */
const sharedPort = (ports: readonly ServicePort[], port: ServicePort): number | undefined =>
  ports.find((other) => other !== port && other.port === port.port && other.protocol !== port.protocol && other.nodePort)?.nodePort

/** Claims of one request: each key at most once, faults gathered. */
class Claims {
  readonly held: Held
  readonly #request: AdmissionRequest
  readonly #taken = new Set<string>()
  readonly #faults: FieldError[] = []

  constructor(request: AdmissionRequest, held: Held) {
    this.#request = request
    this.held = held
  }

  has(key: string): boolean {
    return this.#taken.has(key)
  }

  /** False when somebody else has it. */
  async take(key: string): Promise<boolean> {
    if (this.#taken.has(key)) return true
    if ((await this.#request.read.claim(key)) !== undefined) return false
    this.#taken.add(key)
    const { namespace, name } = keyOf(this.#request.object ?? { apiVersion: 'v1', kind: 'Service', metadata: { name: this.#request.name } })
    this.#request.companion({
      type: 'claim',
      key,
      value: formatKey({ namespace: namespace || this.#request.namespace, name: name || this.#request.name }),
    })
    return true
  }

  refuse(fault: FieldError): void {
    this.#faults.push(fault)
  }

  finish(name: string): void {
    if (this.#faults.length > 0) throw invalid({ group: '', kind: 'Service' }, name, this.#faults)
  }
}

/** Releases what was held and is no longer wanted. */
function release(request: AdmissionRequest, held: Held, wanted: Held): void {
  for (const address of held.addresses)
    if (!wanted.addresses.has(address)) request.companion({ type: 'release', key: addressClaim(address) })
  for (const port of held.ports) if (!wanted.ports.has(port)) request.companion({ type: 'release', key: portClaim(port) })
}
