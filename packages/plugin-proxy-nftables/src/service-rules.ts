import { createHash } from 'node:crypto'
import {
  type AddressFamily,
  addressFamilyOf,
  eligibleEndpoints,
  localEndpoints,
  type ProxyEndpoint,
  type ProxyServicePort,
  type RoutingPlace,
  type ServiceAddress,
  shortestAddress,
  unroutableAddress,
} from '@continuo/workload'
import { words } from './nft-words.ts'
import { marked } from './signature.ts'
import { mostSlots } from './skeleton.ts'

export interface ServiceRulesOptions {
  readonly family: AddressFamily
  readonly place: RoutingPlace
  /** Pods are known by their addresses: a cluster IP masquerades what comes from elsewhere, a Local policy lets pods go anywhere. */
  readonly podRanges: boolean
}

/**
 * The objects that one service port adds to the table of one family, for those of its addresses that it has. Pure.
 * Few endpoints and no affinity: elements of the flat maps alone. Otherwise chains of its own, named after it.
 */
export function serviceRules(
  service: ProxyServicePort,
  addresses: readonly ServiceAddress[],
  options: ServiceRulesOptions,
): ReadonlyMap<string, string> {
  const { family, place, podRanges } = options
  const made = new Map<string, string>()
  const mine = addresses.filter(({ ip }) => ip === undefined || addressFamilyOf(ip) === family)
  if (mine.length === 0) return made
  const usable = service.endpoints.filter(({ ip }) => addressFamilyOf(ip) === family && unroutableAddress(ip) === undefined)
  const everywhere = eligibleEndpoints(usable, place)
  const here = localEndpoints(usable, place.nodeName)
  const chains = new ServiceChains(service, family, podRanges, made)

  for (const address of mine) {
    const external = address.kind !== 'cluster'
    if (address.kind === 'cluster') made.set(`element cluster-ip ${address.ip}`, '')
    const local = (external ? service.externalTrafficPolicy : service.internalTrafficPolicy) === 'Local'
    const endpoints = local && !external ? here : everywhere
    if (everywhere.length === 0) refuse(made, address, 'goto refuse')
    // There are some, on other nodes: whoever asks this node shall ask another one, so it is not told that the port is closed.
    else if (endpoints.length === 0) refuse(made, address, 'drop')
    else if (local && external) lead(made, address, `goto ${chains.localOnly(everywhere, here)}`)
    else if (service.sessionAffinitySeconds !== undefined || endpoints.length > mostSlots)
      lead(made, address, `goto ${external ? chains.external(endpoints) : chains.cluster(endpoints, local)}`)
    else flat(made, address, endpoints)
  }
  for (const endpoint of usable)
    if ((endpoint.nodeName === undefined || endpoint.nodeName === place.nodeName) && (endpoint.ready || endpoint.serving))
      made.set(`element hairpin ${shortestAddress(endpoint.ip)} . ${shortestAddress(endpoint.ip)}`, '')
  return made
}

type Made = Map<string, string>

const tuple = ({ ip, protocol, port }: ServiceAddress): string => `${ip === undefined ? '' : `${ip} . `}${protocol.toLowerCase()} . ${port}`

const lead = (made: Made, address: ServiceAddress, verdict: string): void => {
  made.set(`element ${address.ip === undefined ? 'node-port' : 'service'} ${tuple(address)}`, verdict)
}

const refuse = (made: Made, address: ServiceAddress, verdict: string): void => {
  made.set(`element ${address.ip === undefined ? 'no-endpoint-port' : 'no-endpoint'} ${tuple(address)}`, verdict)
}

function flat(made: Made, address: ServiceAddress, endpoints: readonly ProxyEndpoint[]): void {
  const kind = address.kind === 'cluster' ? 'cluster' : address.ip === undefined ? 'node-port' : 'external'
  const slots = address.ip === undefined ? 'port-endpoint' : 'endpoint'
  const key = tuple(address)
  lead(made, address, `goto ${kind}-${endpoints.length}`)
  for (const [slot, { ip, port }] of endpoints.entries()) made.set(`element ${slots}-${slot} ${key}`, `${shortestAddress(ip)} . ${port}`)
}

/** Chains of one service port. Each is made when it is first asked for. */
class ServiceChains {
  readonly #service: ProxyServicePort
  readonly #family: AddressFamily
  readonly #podRanges: boolean
  readonly #made: Made
  readonly #name: string

  constructor(service: ProxyServicePort, family: AddressFamily, podRanges: boolean, made: Made) {
    this.#service = service
    this.#family = family
    this.#podRanges = podRanges
    this.#made = made
    this.#name = chainName(service)
  }

  /** From a cluster IP. */
  cluster(endpoints: readonly ProxyEndpoint[], local: boolean): string {
    const masquerade = this.#podRanges ? [`${this.#ip} saddr != @pod-range jump mark-masquerade`] : []
    return this.#chain('cluster', ...masquerade, `goto ${this.#choice(local ? 'local' : 'any', endpoints)}`)
  }

  /** From an address outside. */
  external(endpoints: readonly ProxyEndpoint[]): string {
    return this.#chain('external', 'jump mark-masquerade', `goto ${this.#choice('any', endpoints)}`)
  }

  /** From an address outside with a Local policy: clients outside keep their address; pods and the node itself may go to any endpoint. */
  localOnly(everywhere: readonly ProxyEndpoint[], here: readonly ProxyEndpoint[]): string {
    const any = this.#choice('any', everywhere)
    return this.#chain(
      'external',
      ...(this.#podRanges ? [`${this.#ip} saddr @pod-range goto ${any}`] : []),
      'fib saddr type local jump mark-masquerade',
      `fib saddr type local goto ${any}`,
      here.length === 0 ? 'drop' : `goto ${this.#choice('local', here)}`,
    )
  }

  /** Leads to one of the endpoints: the client's own again with affinity, else by a die. */
  #choice(name: 'any' | 'local', endpoints: readonly ProxyEndpoint[]): string {
    const { sessionAffinitySeconds: seconds } = this.#service
    if (seconds === undefined) {
      const die = endpoints.map(({ ip, port }, slot) => `${slot} : ${shortestAddress(ip)} . ${port}`)
      return this.#chain(
        name,
        `meta l4proto ${this.#protocol} dnat ${this.#ip} addr . port to numgen random mod ${die.length} map { ${die.join(', ')} }`,
      )
    }
    const each = endpoints.map((endpoint) => this.#sticky(endpoint, seconds))
    return this.#chain(
      name,
      ...each.map(({ clients, chain }) => `${this.#ip} saddr @${clients} goto ${chain}`),
      `numgen random mod ${each.length} vmap { ${each.map(({ chain }, slot) => `${slot} : goto ${chain}`).join(', ')} }`,
    )
  }

  #sticky({ ip, port }: ProxyEndpoint, seconds: number): { readonly clients: string; readonly chain: string } {
    const address = shortestAddress(ip)
    const endpoint = `${address.replaceAll(':', '_')}_${port}`
    const clients = `clients/${this.#name}/${seconds}s/${endpoint}`
    // A bound: when it is full, a new client is served and not remembered.
    this.#made.set(`set ${clients}`, `type ${words[this.#family].address}; size 65536; flags dynamic,timeout; timeout ${seconds}s;`)
    const to = this.#family === 'ip6' ? `[${address}]:${port}` : `${address}:${port}`
    const chain = this.#chain(
      `sticky/${endpoint}/${seconds}s`,
      `update @${clients} { ${this.#ip} saddr }`,
      `meta l4proto ${this.#protocol} dnat to ${to}`,
    )
    return { clients, chain }
  }

  get #ip(): string {
    return words[this.#family].ip
  }

  get #protocol(): string {
    return this.#service.protocol.toLowerCase()
  }

  #chain(part: string, ...rules: readonly string[]): string {
    const name = `svc/${this.#name}/${part}`
    this.#made.set(`chain ${name}`, rules.map(marked).join('\n'))
    return name
  }
}

/** The service's own name where nft can read it and it fits; else its hash. What a name holds must not become a command. */
function chainName({ namespace, service, portName, protocol, port }: ProxyServicePort): string {
  const name = `${namespace}/${service}/${protocol.toLowerCase()}/${portName === '' ? port : portName}`
  return /^[a-z0-9][a-z0-9/.-]{0,150}$/.test(name) ? name : createHash('sha256').update(name).digest('hex').slice(0, 32)
}
