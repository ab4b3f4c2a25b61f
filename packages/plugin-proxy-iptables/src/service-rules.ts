import {
  type AddressFamily,
  addressFamilyOf,
  eligibleEndpoints,
  localEndpoints,
  type ProxyEndpoint,
  type ProxyServicePort,
  type RoutingPlace,
  type RuleObjects,
  type ServiceAddress,
  shortestAddress,
  unroutableAddress,
} from '@continuo/workload'
import { chainName, marked, markOf } from './marks.ts'

export interface ServiceRulesOptions {
  readonly prefix: string
  readonly podRanges: readonly string[]
}

/** The objects that one service port adds in one family, each after those that it refers to. Pure. */
export function serviceRules(
  service: ProxyServicePort,
  addresses: readonly ServiceAddress[],
  family: AddressFamily,
  place: RoutingPlace,
  options: ServiceRulesOptions,
): RuleObjects {
  const mine = addresses.filter(({ ip }) => ip === undefined || addressFamilyOf(ip) === family)
  if (mine.length === 0) return new Map()
  const usable = service.endpoints.filter(({ ip }) => addressFamilyOf(ip) === family && unroutableAddress(ip) === undefined)
  const everywhere = eligibleEndpoints(usable, place)
  const here = localEndpoints(usable, place.nodeName)
  const chains = new ServiceChains(service, mine, options)
  for (const address of mine) {
    const external = address.kind !== 'cluster'
    const local = (external ? service.externalTrafficPolicy : service.internalTrafficPolicy) === 'Local'
    if (everywhere.length === 0) chains.refuse(address, service.protocol === 'TCP' ? '-j REJECT --reject-with tcp-reset' : '-j REJECT')
    else if (local && !external && here.length === 0) chains.refuse(address, '-j DROP')
    else if (local && external) {
      chains.lead(address, chains.externalLocal(everywhere, here))
      // The nat table cannot drop. What was led somewhere is not asked again.
      if (here.length === 0) chains.refuse(address, '-j DROP')
    } else if (external) chains.lead(address, chains.external(everywhere))
    else chains.lead(address, local ? chains.choice('SVL', here) : chains.choice('SVC', everywhere))
  }
  return chains.made
}

/** Chains of one service port, made when they are first asked for. */
class ServiceChains {
  readonly made = new Map<string, string>()
  readonly #service: ProxyServicePort
  readonly #addresses: readonly ServiceAddress[]
  readonly #options: ServiceRulesOptions
  readonly #protocol: string

  constructor(service: ProxyServicePort, addresses: readonly ServiceAddress[], options: ServiceRulesOptions) {
    this.#service = service
    this.#addresses = addresses
    this.#options = options
    this.#protocol = service.protocol.toLowerCase()
  }

  lead(address: ServiceAddress, chain: string): void {
    const to = address.ip === undefined ? 'NODEPORTS' : 'SERVICES'
    this.#open('nat', to, `${this.#to(address)} -j ${chain}`)
  }

  refuse(address: ServiceAddress, verdict: string): void {
    this.#open('filter', 'REFUSED', `${this.#to(address)}${address.ip === undefined ? ' -m addrtype --dst-type LOCAL' : ''} ${verdict}`)
  }

  external(endpoints: readonly ProxyEndpoint[]): string {
    return this.#chain('EXT', `-j ${this.#options.prefix}-MASQ`, `-j ${this.choice('SVC', endpoints)}`)
  }

  /** Clients outside keep their address; pods and the node itself may go to any endpoint. */
  externalLocal(everywhere: readonly ProxyEndpoint[], here: readonly ProxyEndpoint[]): string {
    const any = this.choice('SVC', everywhere)
    const near = here.length === 0 ? [] : [`-j ${this.choice('SVL', here)}`]
    return this.#chain(
      'EXT',
      ...this.#options.podRanges.map((range) => `-s ${range} -j ${any}`),
      `-m addrtype --src-type LOCAL -j ${this.#options.prefix}-MASQ`,
      `-m addrtype --src-type LOCAL -j ${any}`,
      ...near,
    )
  }

  /** Leads to one of the endpoints: the client's own again with affinity, else by a die for each. */
  choice(part: 'SVC' | 'SVL', endpoints: readonly ProxyEndpoint[]): string {
    const { sessionAffinitySeconds: seconds } = this.#service
    const targets = endpoints.map((endpoint) => this.#endpoint(endpoint))
    const outside = this.#addresses
      .filter(({ kind }) => kind === 'cluster' && this.#options.podRanges.length > 0)
      .map((address) => `${this.#to(address)} -j ${this.#options.prefix}-OUTSIDE`)
    const known =
      seconds === undefined
        ? []
        : targets.map((name) => `-m recent --name ${name} --rcheck --seconds ${seconds} --reap --rsource -j ${name}`)
    const dice = targets.map((name, index) => {
      const left = targets.length - index
      return `${left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `}-j ${name}`
    })
    return this.#chain(part, ...outside, ...known, ...dice)
  }

  #endpoint({ ip, port }: ProxyEndpoint): string {
    const address = shortestAddress(ip)
    const { prefix } = this.#options
    const name = chainName(prefix, 'SEP', `${this.#service.id} ${this.#protocol} ${address} ${port}`)
    const remember = this.#service.sessionAffinitySeconds === undefined ? '' : `-m recent --name ${name} --set --rsource `
    const to = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    this.made.set(
      `chain nat ${name}`,
      [`-s ${address} -j ${prefix}-MASQ`, `-p ${this.#protocol} ${remember}-j DNAT --to-destination ${to}`].map(marked).join('\n'),
    )
    return name
  }

  #to({ ip, port }: ServiceAddress): string {
    return `${ip === undefined ? '' : `-d ${ip} `}-p ${this.#protocol} -m ${this.#protocol} --dport ${port}`
  }

  #chain(part: string, ...rules: readonly string[]): string {
    const name = chainName(this.#options.prefix, part, `${this.#service.id} ${this.#protocol}`)
    this.made.set(`chain nat ${name}`, rules.map(marked).join('\n'))
    return name
  }

  #open(table: string, chain: string, rule: string): void {
    const text = marked(rule)
    this.made.set(`rule ${table} ${this.#options.prefix}-${chain} ${markOf(text)}`, text)
  }
}
