/** One expression or object of `nft -j`, of any shape. */
// biome-ignore lint/suspicious/noExplicitAny: nft's JSON has a shape for each of its many statements
type Json = any

/** A packet as far as the rules of services look at it. */
export interface TracedPacket {
  readonly protocol: 'tcp' | 'udp'
  readonly from: string
  readonly to: string
  readonly port: number
}

/** What can become of it: every endpoint that a die may choose, `refused`, `dropped`, or `untouched`. */
export type Fate = ReadonlySet<string>

/**
 * Follows packets through a rule set as `nft -j list table` prints it, without knowing who made it: lookups, jumps, dice and translations are
 * evaluated as nft(8) says. It throws on a statement that it does not know, so that nothing is passed over.
 */
export class RuleTracer {
  readonly #chains = new Map<string, Json[]>()
  readonly #hooks: { readonly chain: string; readonly hook: string; readonly type: string }[] = []
  readonly #maps = new Map<string, Map<string, Json>>()
  readonly #own: ReadonlySet<string>

  /** @param own Addresses of the node. */
  constructor(listing: string, own: ReadonlySet<string>) {
    this.#own = own
    for (const { chain, rule, set, map } of (JSON.parse(listing) as { nftables: Json[] }).nftables) {
      if (chain !== undefined) {
        this.#chains.set(chain.name, [])
        if (chain.hook !== undefined) this.#hooks.push({ chain: chain.name, hook: chain.hook, type: chain.type })
      }
      if (rule !== undefined) this.#chains.get(rule.chain)?.push(rule.expr)
      if (set !== undefined) this.#maps.set(set.name, new Map((set.elem ?? []).map((key: Json) => [written(key), null])))
      if (map !== undefined) this.#maps.set(map.name, new Map((map.elem ?? []).map(([key, value]: [Json, Json]) => [written(key), value])))
    }
  }

  /** Of the first packet of a connection that comes from outside the node. */
  trace(packet: TracedPacket): Fate {
    const fates = new Set<string>()
    for (const led of this.#run('prerouting', 'nat', packet))
      if (led !== 'untouched') fates.add(led)
      else {
        const hook = this.#own.has(packet.to) ? 'input' : 'forward'
        for (const refused of this.#run(hook, 'filter', packet)) fates.add(refused)
      }
    return fates
  }

  #run(hook: string, type: string, packet: TracedPacket): Fate {
    const found = new Set<string>()
    for (const base of this.#hooks.filter((one) => one.hook === hook && one.type === type))
      for (const fate of this.#chain(base.chain, packet)) found.add(fate)
    return found
  }

  #chain(name: string, packet: TracedPacket): Fate {
    const rules = this.#chains.get(name)
    if (rules === undefined) throw new TypeError(`no chain ${name}`)
    return this.#rules(rules, packet)
  }

  /** Rules from here on: a die leads on in several ways at once. */
  #rules(rules: readonly Json[][], packet: TracedPacket): Fate {
    for (const [index, expressions] of rules.entries()) {
      const outcome = this.#rule(expressions, packet)
      if (outcome === undefined) continue
      const fates = new Set<string>()
      for (const fate of outcome)
        if (fate === 'left') fates.add('untouched')
        else if (fate !== 'untouched') fates.add(fate)
        else for (const later of this.#rules(rules.slice(index + 1), packet)) fates.add(later)
      return fates
    }
    return new Set(['untouched'])
  }

  /** What the rule makes of the packet; undefined when it goes on to the next one. */
  #rule(expressions: readonly Json[], packet: TracedPacket): Fate | undefined {
    for (const expression of expressions) {
      const [[kind, value]] = Object.entries(expression) as [[string, Json]]
      if (kind === 'match') {
        if (!this.#matches(value, packet)) return undefined
      } else if (kind === 'mangle' || kind === 'set') continue
      else if (kind === 'jump') return this.#chain(value.target, packet)
      // Nothing more of this chain, whatever comes of it.
      else if (kind === 'goto') return new Set([...this.#chain(value.target, packet)].map((fate) => (fate === 'untouched' ? 'left' : fate)))
      else if (kind === 'drop') return new Set(['dropped'])
      else if (kind === 'reject') return new Set(['refused'])
      else if (kind === 'vmap') return this.#verdicts(value, packet)
      else if (kind === 'dnat') return this.#translated(value, packet)
      else throw new TypeError(`unknown statement ${JSON.stringify(expression)}`)
    }
    return undefined
  }

  #verdicts({ key, data }: Json, packet: TracedPacket): Fate | undefined {
    const found = this.#lookup(key, data, packet)
    if (found.length === 0) return undefined
    return new Set(found.flatMap((verdict) => [...(this.#rule([verdict], packet) ?? [])]))
  }

  #translated({ addr, port }: Json, packet: TracedPacket): Fate | undefined {
    if (typeof addr === 'string') return new Set([`${addr} . ${port}`])
    const found = this.#lookup(addr.map.key, addr.map.data, packet)
    return found.length === 0 ? undefined : new Set(found.map(written))
  }

  #lookup(key: Json, data: Json, packet: TracedPacket): readonly Json[] {
    const entries =
      typeof data === 'string'
        ? this.#maps.get(data.slice(1))
        : new Map<string, Json>(data.set.map(([one, value]: [Json, Json]) => [written(one), value]))
    if (entries === undefined) throw new TypeError(`no map ${data}`)
    if (key.numgen !== undefined)
      return Array.from({ length: key.numgen.mod }, (_, face) => entries.get(`${face}`)).filter((one) => one !== undefined)
    const value = entries.get(this.#value(key, packet))
    return value === undefined ? [] : [value]
  }

  #matches({ op, left, right }: Json, packet: TracedPacket): boolean {
    // The first packet of a connection, which nobody has translated.
    if (left.ct?.key === 'state') return right === 'new'
    if (left.ct?.key === 'status') return (right === 'dnat') === (op === '!')
    const value = this.#value(left, packet)
    const same =
      typeof right === 'string' && right.startsWith('@')
        ? this.#member(right.slice(1), value)
        : right?.set !== undefined
          ? right.set.includes(value)
          : right?.prefix !== undefined
            ? within(value, right.prefix)
            : `${right}` === value
    return op === '!=' ? !same : same
  }

  #member(set: string, value: string): boolean {
    return [...(this.#maps.get(set)?.keys() ?? [])].some((key) => {
      const [addr = '', len] = key.split('/')
      return len === undefined ? key === value : within(value, { addr, len: Number(len) })
    })
  }

  #value(expression: Json, packet: TracedPacket): string {
    if (expression.concat !== undefined) return expression.concat.map((one: Json) => this.#value(one, packet)).join(' . ')
    if (expression.payload?.field === 'daddr') return packet.to
    if (expression.payload?.field === 'saddr') return packet.from
    if (expression.payload?.field === 'dport') return `${packet.port}`
    if (expression.meta?.key === 'l4proto') return packet.protocol
    if (expression.fib?.result === 'type') {
      const address = expression.fib.flags.includes('daddr') ? packet.to : packet.from
      return this.#own.has(address) ? 'local' : 'unicast'
    }
    throw new TypeError(`unknown expression ${JSON.stringify(expression)}`)
  }
}

function written(expression: Json): string {
  if (typeof expression !== 'object' || expression === null) return `${expression}`
  if (expression.concat !== undefined) return expression.concat.map(written).join(' . ')
  if (expression.prefix !== undefined) return `${expression.prefix.addr}/${expression.prefix.len}`
  if (expression.elem !== undefined) return written(expression.elem.val)
  throw new TypeError(`unknown element ${JSON.stringify(expression)}`)
}

const number = (ip: string): number => ip.split('.').reduce((value, part) => value * 256 + Number(part), 0)
const within = (ip: string, { addr, len }: { readonly addr: string; readonly len: number }): boolean =>
  Math.floor(number(ip) / 2 ** (32 - len)) === Math.floor(number(addr) / 2 ** (32 - len))
