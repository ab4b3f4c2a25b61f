/** What `nft -j list table` prints, as far as it is looked at. */
interface Listing {
  readonly nftables: readonly {
    readonly set?: ListedSet
    readonly map?: ListedSet
    readonly chain?: { readonly name: string; readonly type?: string; readonly hook?: string; readonly prio?: number }
    readonly rule?: { readonly chain: string; readonly comment?: string }
  }[]
}

interface ListedSet {
  readonly name: string
  readonly elem?: readonly unknown[]
}

/** Sets that packets fill: what is in them is theirs. */
const filledByPackets = /^clients\//

/**
 * The signatures of everything that stands in a table, by the keys of a rule set, from nft's JSON. Pure.
 * @param elements False for a terse listing, which names sets and leaves out what they hold.
 */
export function readBack(listing: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const chains = new Map<string, string[]>()
  for (const { set, map, chain, rule } of (JSON.parse(listing) as Listing).nftables) {
    if (set !== undefined) container(found, 'set', set)
    if (map !== undefined) container(found, 'map', map)
    if (chain !== undefined)
      chains.set(chain.name, chain.hook === undefined ? [] : [`type ${chain.type} hook ${chain.hook} priority ${chain.prio};`])
    if (rule !== undefined) chains.get(rule.chain)?.push(rule.comment ?? '')
  }
  for (const [name, lines] of chains) found.set(`chain ${name}`, lines.join('\n'))
  return found
}

function container(found: Map<string, string>, kind: 'set' | 'map', { name, elem }: ListedSet): void {
  found.set(`${kind} ${name}`, '')
  if (filledByPackets.test(name)) return
  for (const element of elem ?? []) {
    const [key, value] = kind === 'map' ? (element as readonly [unknown, unknown]) : [element, undefined]
    found.set(`element ${name} ${written(key)}`, value === undefined ? '' : written(value))
  }
}

/** An expression of nft's JSON in nft's words. */
function written(expression: unknown): string {
  if (typeof expression !== 'object' || expression === null) return `${expression}`
  const [kind, value] = Object.entries(expression)[0] ?? ['', undefined]
  switch (kind) {
    case 'concat':
      return (value as readonly unknown[]).map(written).join(' . ')
    case 'prefix':
      return `${value.addr}/${value.len}`
    case 'elem':
      return written(value.val)
    case 'goto':
    case 'jump':
      return `${kind} ${value.target}`
    default:
      return kind
  }
}
