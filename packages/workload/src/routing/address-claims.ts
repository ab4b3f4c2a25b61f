import type { ServiceAddress } from './service-addresses.ts'

const strength: Readonly<Record<ServiceAddress['kind'], number>> = { cluster: 0, 'load-balancer': 1, external: 2, 'node-port': 3 }

interface Claim {
  readonly id: string
  readonly kind: ServiceAddress['kind']
}

/**
 * Who has which address, when several services ask for the same one. A cluster IP goes before a load balancer's, that before an external IP;
 * among equals whoever has it keeps it, so that a new service takes nothing away. Holds one entry for each address of the cluster's services.
 */
export class AddressClaims {
  readonly #claims = new Map<string, readonly [Claim, ...Claim[]]>()
  readonly #addresses = new Map<string, readonly ServiceAddress[]>()

  /** Replaces what a service port asks for; none: it is gone. Returns the ids whose addresses have changed by it, other than its own. */
  set(id: string, addresses: readonly ServiceAddress[]): ReadonlySet<string> {
    const affected = new Set<string>()
    const wanted = new Map(addresses.map((address) => [address.key, address]))
    for (const { key } of this.#addresses.get(id) ?? []) if (!wanted.has(key)) this.#change(key, id, undefined, affected)
    for (const { key, kind } of addresses) this.#change(key, id, kind, affected)
    if (addresses.length === 0) this.#addresses.delete(id)
    else this.#addresses.set(id, addresses)
    affected.delete(id)
    return affected
  }

  /** Addresses that the service port has. */
  owned(id: string): readonly ServiceAddress[] {
    return (this.#addresses.get(id) ?? []).filter(({ key }) => this.#claims.get(key)?.[0].id === id)
  }

  /** Addresses that it asks for and another one has, with that one's id. */
  denied(id: string): readonly (readonly [ServiceAddress, owner: string])[] {
    return (this.#addresses.get(id) ?? []).flatMap((address) => {
      const owner = this.#claims.get(address.key)?.[0].id
      return owner === undefined || owner === id ? [] : [[address, owner] as const]
    })
  }

  clear(): void {
    this.#claims.clear()
    this.#addresses.clear()
  }

  #change(key: string, id: string, kind: ServiceAddress['kind'] | undefined, affected: Set<string>): void {
    const before = this.#claims.get(key) ?? []
    const known = before.find((claim) => claim.id === id)
    if (known?.kind === kind) return
    const others = before.filter((claim) => claim.id !== id)
    const place = kind === undefined ? 0 : others.findIndex((claim) => strength[kind] < strength[claim.kind])
    const after = kind === undefined ? others : others.toSpliced(place === -1 ? others.length : place, 0, { id, kind })
    const [first, ...rest] = after
    if (first === undefined) this.#claims.delete(key)
    else this.#claims.set(key, [first, ...rest])
    if (before[0]?.id === first?.id) return
    for (const owner of [before[0]?.id, first?.id]) if (owner !== undefined) affected.add(owner)
  }
}
