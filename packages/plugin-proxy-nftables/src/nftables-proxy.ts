import { type Clock, ContinuoError, type Log } from '@continuo/core'
import { type FlowTarget, forgetFlows } from '@continuo/lib-netfilter'
import type { ProxyResult, ProxyState, ServiceProxy } from '@continuo/workload'
import { datagramTargets } from './datagram-targets.ts'
import type { Family } from './family.ts'
import { Nft } from './nft.ts'
import { Programme, type ProgrammeOptions } from './programme.ts'
import { type Change, differences, type RuleSet, transaction } from './rule-set.ts'
import { signature } from './signature.ts'

export interface NftablesProxyOptions extends Omit<ProgrammeOptions, 'families'> {
  readonly clock: Clock
  readonly log: Log
  /** Name of the tables, `ip` and `ip6`, which are this proxy's alone. */
  readonly table: string
  /** The program `nft`. */
  readonly nft: string
  /** The program `conntrack`. */
  readonly conntrack: string
  /** Each transaction that was made. */
  readonly onSync?: (sync: { readonly kind: 'full' | 'change' | 'mend'; readonly changes: number; readonly seconds: number }) => void
}

const both: readonly Family[] = ['ip', 'ip6']

/** Routes services in the kernel, by maps of nftables that are changed in atomic transactions. */
export class NftablesProxy implements ServiceProxy {
  readonly name = 'nftables'
  readonly #options: NftablesProxyOptions
  readonly #nft: Nft
  #programme: Programme | undefined
  #families: readonly Family[] = []
  /** The last state that was applied: what datagrams were led to. */
  #state: ProxyState | undefined
  /** The kernel has what the programme wants, as far as this process knows. */
  #inStep = false
  #noConntrack = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: NftablesProxyOptions) {
    this.#options = options
    this.#nft = new Nft(options.nft, options.table)
  }

  apply(update: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }): Promise<ProxyResult> {
    return this.#inTurn(() => this.#apply(update.state, update.changed))
  }

  /**
   * Reads which chains, rules and maps there are, without what the maps hold, and mends everything when something is missing.
   * Cheap enough for every few seconds: what it costs does not grow with the number of services.
   */
  guard(): Promise<void> {
    return this.#inTurn(async () => {
      const programme = this.#programme
      if (programme === undefined || this.#state === undefined) return
      for (const family of this.#families) {
        const actual = await this.#nft.read(family, 'terse')
        if (actual !== undefined && !differs(actual, programme.wanted(family))) continue
        this.#options.log.warn({ table: this.#nft.table(family) }, 'somebody changed the rules of services; putting them right')
        await this.#mend(programme, 'mend')
        return
      }
    })
  }

  clear(): Promise<void> {
    return this.#inTurn(async () => {
      const families = this.#programme === undefined ? await this.#supported() : this.#families
      await this.#nft.remove(families)
      if (this.#state !== undefined)
        await this.#forget(datagramTargets(this.#state, { nodeName: '', ports: new Map() }, this.#state.ports.keys()))
      this.#programme = undefined
      this.#state = undefined
      this.#inStep = false
    })
  }

  async #apply(state: ProxyState, changed: ReadonlySet<string> | undefined): Promise<ProxyResult> {
    const programme = await this.#opened()
    const before = this.#state
    // Where this node is decides for every service.
    const moved = before === undefined || before.nodeName !== state.nodeName || before.zone !== state.zone
    const full = changed === undefined || moved || !this.#inStep
    const ids = full ? new Set([...state.ports.keys(), ...programme.ids()]) : changed
    const wanted = programme.update(state, full ? ids : changed)
    this.#state = state
    const inStep = this.#inStep && !full && (await this.#change(wanted))
    const changes = inStep ? wanted.ip.length + wanted.ip6.length : await this.#mend(programme, 'full')
    if (changes > 0 || full) await this.#forget(datagramTargets(before, state, ids))
    return { changes, problems: programme.problems() }
  }

  /** One transaction for what changed. False when the kernel did not have what it was taken to have. */
  async #change(wanted: Readonly<Record<Family, readonly Change[]>>): Promise<boolean> {
    try {
      await this.#commit('change', wanted)
      return true
    } catch (error) {
      this.#options.log.warn({ error }, 'the rules of services are not what they were; reading them and putting them right')
      return false
    }
  }

  /** Reads what the kernel has and makes it what is wanted. Returns the number of changes. */
  async #mend(programme: Programme, kind: 'full' | 'mend'): Promise<number> {
    this.#inStep = false
    const wanted: Record<Family, readonly Change[]> = { ip: [], ip6: [] }
    for (const family of this.#families) {
      const actual = await this.#nft.read(family)
      wanted[family] = against(actual ?? new Map(), programme.wanted(family))
    }
    try {
      await this.#commit(kind, wanted)
    } catch (error) {
      this.#options.log.warn({ error }, 'the tables cannot be put right in place; replacing them whole')
      await this.#replace(programme)
    }
    this.#inStep = true
    return wanted.ip.length + wanted.ip6.length
  }

  async #commit(kind: 'full' | 'change' | 'mend', wanted: Readonly<Record<Family, readonly Change[]>>): Promise<void> {
    const changes = wanted.ip.length + wanted.ip6.length
    if (changes === 0) return
    const begun = this.#options.clock.monotonic()
    await this.#nft.run(
      this.#families.flatMap((family) => [
        ...(kind === 'change' || wanted[family].length === 0 ? [] : [`add table ${this.#nft.table(family)}`]),
        ...transaction(this.#nft.table(family), wanted[family]),
      ]),
    )
    this.#options.onSync?.({ kind, changes, seconds: (this.#options.clock.monotonic() - begun) / 1_000 })
  }

  /** Away and anew in one transaction: no packet sees anything between. */
  async #replace(programme: Programme): Promise<void> {
    await this.#nft.run(
      this.#families.flatMap((family) => {
        const table = this.#nft.table(family)
        return [
          `add table ${table}`,
          `delete table ${table}`,
          `add table ${table}`,
          ...transaction(table, differences(new Map(), programme.wanted(family))),
        ]
      }),
    )
  }

  async #opened(): Promise<Programme> {
    if (this.#programme !== undefined) return this.#programme
    this.#families = await this.#supported()
    this.#programme = new Programme({ ...this.#options, families: this.#families })
    return this.#programme
  }

  async #supported(): Promise<readonly Family[]> {
    const supported: Family[] = []
    for (const family of both) if (await this.#nft.supports(family)) supported.push(family)
    return supported
  }

  /** Datagrams that were led to an endpoint are led there for as long as they keep coming, until the kernel forgets them. */
  async #forget(targets: Readonly<Record<'UDP' | 'SCTP', Readonly<Record<Family, readonly FlowTarget[]>>>>): Promise<void> {
    if (this.#noConntrack) return
    try {
      for (const protocol of ['UDP', 'SCTP'] as const)
        for (const family of this.#families)
          await forgetFlows(targets[protocol][family], {
            protocol: protocol === 'UDP' ? 'udp' : 'sctp',
            family: family === 'ip' ? 'ipv4' : 'ipv6',
            command: this.#options.conntrack,
          })
    } catch (error) {
      this.#noConntrack = error instanceof ContinuoError && error.code === 'NETFILTER_TOOL_MISSING'
      this.#options.log.warn(
        { error },
        'flows of datagrams to endpoints that are gone cannot be ended; each goes on until its client pauses for as long as the kernel remembers it',
      )
    }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** Changes that lead from signatures in the kernel to a rule set. */
function against(actual: ReadonlyMap<string, string>, wanted: RuleSet): readonly Change[] {
  const changes: Change[] = []
  for (const [key, after] of wanted) {
    const before = actual.get(key)
    if (before !== signature(key, after)) changes.push({ key, before, after })
  }
  for (const [key, before] of actual) if (!wanted.has(key)) changes.push({ key, before, after: undefined })
  return changes
}

/** Whether chains, sets or maps are other than wanted. Elements are not looked at. */
function differs(actual: ReadonlyMap<string, string>, wanted: RuleSet): boolean {
  let count = 0
  for (const [key, value] of wanted) {
    if (key.startsWith('element ')) continue
    count++
    if (actual.get(key) !== signature(key, value)) return true
  }
  return count !== actual.size
}
