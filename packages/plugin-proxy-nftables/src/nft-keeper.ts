import type { Clock, Log } from '@continuo/core'
import { FlowKeeper } from '@continuo/lib-netfilter'
import type { AddressFamily, DatagramTargets, FamilyChanges, RuleChange, RuleKeeper, RuleObjects } from '@continuo/workload'
import { Nft } from './nft.ts'
import { differences, transaction } from './rule-set.ts'
import { signature } from './signature.ts'

/** A transaction that was made. */
export interface Sync {
  readonly kind: 'full' | 'change'
  readonly changes: number
  readonly seconds: number
}

export interface NftKeeperOptions {
  readonly clock: Clock
  readonly log: Log
  /** Name of the tables, `ip` and `ip6`, which are this keeper's alone. */
  readonly table: string
  /** The program `nft`. */
  readonly nft: string
  /** The program `conntrack`. */
  readonly conntrack: string
  readonly onSync?: (sync: Sync) => void
}

/** Keeps two tables of nftables as they are wanted. Each change is one transaction: no packet sees half of it. */
export class NftKeeper implements RuleKeeper {
  readonly #options: NftKeeperOptions
  readonly #nft: Nft
  readonly #flows: FlowKeeper
  #families: readonly AddressFamily[] | undefined

  constructor(options: NftKeeperOptions) {
    this.#options = options
    this.#nft = new Nft(options.nft, options.table)
    this.#flows = new FlowKeeper(options.conntrack, options.log)
  }

  async families(): Promise<readonly AddressFamily[]> {
    if (this.#families !== undefined) return this.#families
    const supported: AddressFamily[] = []
    for (const family of ['ip', 'ip6'] as const) if (await this.#nft.supports(family)) supported.push(family)
    this.#families = supported
    return supported
  }

  async change(changes: FamilyChanges): Promise<boolean> {
    try {
      await this.#commit('change', changes)
      return true
    } catch (error) {
      this.#options.log.warn({ error }, 'the rules of services are not what they were; reading them and putting them right')
      return false
    }
  }

  async mend(wanted: (family: AddressFamily) => RuleObjects): Promise<number> {
    const changes: Record<AddressFamily, readonly RuleChange[]> = { ip: [], ip6: [] }
    for (const family of await this.families()) changes[family] = against((await this.#nft.read(family)) ?? new Map(), wanted(family))
    try {
      await this.#commit('full', changes)
    } catch (error) {
      this.#options.log.warn({ error }, 'the tables cannot be put right in place; replacing them whole')
      await this.#replace(wanted)
    }
    return changes.ip.length + changes.ip6.length
  }

  /** Which chains, rules and maps there are, without what the maps hold: what it costs does not grow with the number of services. */
  async intact(wanted: (family: AddressFamily) => RuleObjects): Promise<boolean> {
    for (const family of await this.families()) {
      const actual = await this.#nft.read(family, 'terse')
      if (actual !== undefined && !differs(actual, wanted(family))) continue
      this.#options.log.warn({ table: this.#nft.table(family) }, 'somebody changed the rules of services; putting them right')
      return false
    }
    return true
  }

  async remove(): Promise<void> {
    await this.#nft.remove(await this.families())
  }

  forget(targets: DatagramTargets): Promise<void> {
    return this.#flows.forget(targets)
  }

  async #commit(kind: Sync['kind'], wanted: FamilyChanges): Promise<void> {
    const changes = wanted.ip.length + wanted.ip6.length
    if (changes === 0) return
    const begun = this.#options.clock.monotonic()
    const commands = (await this.families()).flatMap((family) => [
      ...(kind === 'change' || wanted[family].length === 0 ? [] : [`add table ${this.#nft.table(family)}`]),
      ...transaction(this.#nft.table(family), wanted[family]),
    ])
    await this.#nft.run(commands)
    this.#options.onSync?.({ kind, changes, seconds: (this.#options.clock.monotonic() - begun) / 1_000 })
  }

  /** Away and anew in one transaction: no packet sees anything between. */
  async #replace(wanted: (family: AddressFamily) => RuleObjects): Promise<void> {
    const commands = (await this.families()).flatMap((family) => {
      const table = this.#nft.table(family)
      const everything = transaction(table, differences(new Map(), wanted(family)))
      return [`add table ${table}`, `delete table ${table}`, `add table ${table}`, ...everything]
    })
    await this.#nft.run(commands)
  }
}

/** Changes that lead from signatures in the kernel to what is wanted. */
function against(actual: ReadonlyMap<string, string>, wanted: RuleObjects): readonly RuleChange[] {
  const changes: RuleChange[] = []
  for (const [key, after] of wanted) {
    const before = actual.get(key)
    if (before !== signature(key, after)) changes.push({ key, before, after })
  }
  for (const [key, before] of actual) if (!wanted.has(key)) changes.push({ key, before, after: undefined })
  return changes
}

/** Whether chains, sets or maps are other than wanted. Elements are not looked at. */
function differs(actual: ReadonlyMap<string, string>, wanted: RuleObjects): boolean {
  let count = 0
  for (const [key, value] of wanted) {
    if (key.startsWith('element ')) continue
    count++
    if (actual.get(key) !== signature(key, value)) return true
  }
  return count !== actual.size
}
