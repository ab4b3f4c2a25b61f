import type { ProxyProblem, ProxyServicePort, ProxyState } from '../contracts/service-proxy.ts'
import { AddressClaims } from './address-claims.ts'
import type { RoutingPlace } from './eligible-endpoints.ts'
import { type AddressFamily, type ServiceAddress, serviceAddresses, unroutableAddress } from './service-addresses.ts'

/** Objects of the kernel's rules by what they are, with what they say. */
export type RuleObjects = ReadonlyMap<string, string>

/** What has to be done to one object: undefined is "not there". */
export interface RuleChange {
  readonly key: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** How services become rules of one sort. Pure. */
export interface ServiceRuleMaker {
  /** What is there without any service. */
  base(family: AddressFamily): RuleObjects
  /** What a service port adds, for those of its addresses that it has. Two ports that add the same object agree on what it says. */
  rules(port: ProxyServicePort, addresses: readonly ServiceAddress[], family: AddressFamily, place: RoutingPlace): RuleObjects
}

interface Entry {
  readonly port: ProxyServicePort
  readonly objects: Readonly<Record<AddressFamily, RuleObjects>>
  readonly problems: readonly ProxyProblem[]
}

const nothing: RuleObjects = new Map()
const none = { ip: nothing, ip6: nothing }

/**
 * The rule sets that a state asks for, kept from one state to the next, so that a change costs what changed. It decides alone; it touches no kernel.
 * Objects that services share are counted.
 */
export class ServiceProgramme {
  readonly #maker: ServiceRuleMaker
  readonly #families: readonly AddressFamily[]
  readonly #claims = new AddressClaims()
  readonly #entries = new Map<string, Entry>()
  readonly #wanted: Readonly<Record<AddressFamily, Map<string, string>>>
  readonly #shared: Readonly<Record<AddressFamily, Map<string, number>>> = { ip: new Map(), ip6: new Map() }

  /** @param families Those that the kernel knows. */
  constructor(maker: ServiceRuleMaker, families: readonly AddressFamily[]) {
    this.#maker = maker
    this.#families = families
    this.#wanted = { ip: new Map(maker.base('ip')), ip6: new Map(maker.base('ip6')) }
  }

  wanted(family: AddressFamily): RuleObjects {
    return this.#wanted[family]
  }

  /** Ids of everything that it knows. */
  ids(): Iterable<string> {
    return this.#entries.keys()
  }

  problems(): readonly ProxyProblem[] {
    return [...this.#entries.values()].flatMap(({ problems }) => problems)
  }

  /** Takes over these service ports from the state, and returns what it changes, for each family. */
  update(state: ProxyState, ids: Iterable<string>): Readonly<Record<AddressFamily, readonly RuleChange[]>> {
    const touched = new Set<string>()
    for (const id of ids) {
      touched.add(id)
      const port = state.ports.get(id)
      const addresses =
        port === undefined ? [] : serviceAddresses(port).filter(({ ip }) => ip === undefined || this.#refusal(ip) === undefined)
      for (const other of this.#claims.set(id, addresses)) touched.add(other)
    }
    const before = { ip: new Map<string, string | undefined>(), ip6: new Map<string, string | undefined>() }
    // What goes is taken away before what comes: an address may pass from one to another.
    const entries = [...touched].map((id) => [id, this.#entries.get(id), this.#entry(state, id)] as const)
    for (const [, old] of entries) this.#count(old?.objects ?? none, -1, before)
    for (const [id, , next] of entries) {
      this.#count(next?.objects ?? none, 1, before)
      if (next === undefined) this.#entries.delete(id)
      else this.#entries.set(id, next)
    }
    return { ip: this.#changes('ip', before.ip), ip6: this.#changes('ip6', before.ip6) }
  }

  #entry(state: ProxyState, id: string): Entry | undefined {
    const port = state.ports.get(id)
    if (port === undefined) return undefined
    const owned = this.#claims.owned(id)
    const objects = { ...none }
    for (const family of this.#families) objects[family] = this.#maker.rules(port, owned, family, state)
    return { port, objects, problems: this.#problemsOf(port) }
  }

  #problemsOf(port: ProxyServicePort): readonly ProxyProblem[] {
    const { id } = port
    const addresses = serviceAddresses(port).flatMap(({ ip }) => {
      const refusal = ip === undefined ? undefined : this.#refusal(ip)
      return refusal === undefined ? [] : [{ id, reason: refusal.reason, message: `${ip} of service ${id}: ${refusal.message}` }]
    })
    const taken = this.#claims.denied(id).map(([{ ip, port: number, protocol }, owner]) => ({
      id,
      reason: 'PortInUse',
      message: `${ip ?? 'node port'}:${number}/${protocol} of service ${id} belongs to service ${owner}; choose another address or port`,
    }))
    const endpoints = port.endpoints.flatMap(({ ip }) => {
      const why = unroutableAddress(ip)
      if (why === undefined) return []
      const message = `endpoint ${ip} of service ${id} is ${why}: the kernel leads no traffic there; use an address of the node or of a pod`
      return [{ id, reason: 'AddressNotAllowed', message }]
    })
    // One for each port: whoever mends it sees the next.
    return [...addresses, ...taken, ...endpoints].slice(0, 1)
  }

  #refusal(ip: string): { readonly reason: string; readonly message: string } | undefined {
    const why = unroutableAddress(ip)
    if (why !== undefined)
      return {
        reason: 'AddressNotAllowed',
        message: `it is ${why}, which the kernel routes for nobody else; choose another range of addresses`,
      }
    return ip.includes(':') && !this.#families.includes('ip6')
      ? { reason: 'AddressNotAvailable', message: 'this kernel has no IPv6; start it with IPv6, or use IPv4 services' }
      : undefined
  }

  #count(
    objects: Readonly<Record<AddressFamily, RuleObjects>>,
    by: 1 | -1,
    before: Record<AddressFamily, Map<string, string | undefined>>,
  ): void {
    for (const family of this.#families) {
      const [wanted, shared, first] = [this.#wanted[family], this.#shared[family], before[family]]
      for (const [key, value] of objects[family]) {
        if (!first.has(key)) first.set(key, wanted.get(key))
        const count = (shared.get(key) ?? 0) + by
        if (count <= 0) {
          shared.delete(key)
          wanted.delete(key)
        } else {
          shared.set(key, count)
          wanted.set(key, value)
        }
      }
    }
  }

  #changes(family: AddressFamily, before: ReadonlyMap<string, string | undefined>): readonly RuleChange[] {
    const wanted = this.#wanted[family]
    return [...before].flatMap(([key, old]) => (old === wanted.get(key) ? [] : [{ key, before: old, after: wanted.get(key) }]))
  }
}
