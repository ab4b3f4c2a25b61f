import type { ProxyResult, ProxyState, ServiceProxy } from '../contracts/service-proxy.ts'
import { type DatagramTargets, datagramTargets } from './datagram-targets.ts'
import type { AddressFamily } from './service-addresses.ts'
import { type RuleChange, type RuleObjects, ServiceProgramme, type ServiceRuleMaker } from './service-programme.ts'

export type FamilyChanges = Readonly<Record<AddressFamily, readonly RuleChange[]>>

/** The kernel's rules, kept as they are wanted. Calls come one at a time. */
export interface RuleKeeper {
  /** Families that the kernel knows. Asked once before anything else. */
  families(): Promise<readonly AddressFamily[]>
  /** Makes these changes. False when the kernel did not have what it was taken to have; then nothing, or a part, was done. */
  change(changes: FamilyChanges): Promise<boolean>
  /** Reads what there is and makes it what is wanted. Resolves with the number of changes. */
  mend(wanted: (family: AddressFamily) => RuleObjects): Promise<number>
  /** A cheap look whether everything is there. */
  intact(wanted: (family: AddressFamily) => RuleObjects): Promise<boolean>
  /** Removes everything. */
  remove(): Promise<void>
  /** Ends flows of datagrams to these addresses that lead elsewhere. */
  forget(targets: DatagramTargets): Promise<void>
}

/** A service proxy by rules of the kernel: a programme that decides and a keeper that acts. */
export class KernelProxy implements ServiceProxy {
  readonly name: string
  readonly #maker: ServiceRuleMaker
  readonly #keeper: RuleKeeper
  #programme: ServiceProgramme | undefined
  /** The last state that was applied: what datagrams were led to. */
  #state: ProxyState | undefined
  /** The kernel has what the programme wants, as far as this process knows. */
  #inStep = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(name: string, maker: ServiceRuleMaker, keeper: RuleKeeper) {
    this.name = name
    this.#maker = maker
    this.#keeper = keeper
  }

  apply(update: { readonly state: ProxyState; readonly changed?: ReadonlySet<string> }): Promise<ProxyResult> {
    return this.#inTurn(() => this.#apply(update.state, update.changed))
  }

  /** Looks whether somebody removed or changed rules, and puts them right. */
  guard(): Promise<void> {
    return this.#inTurn(async () => {
      const programme = this.#programme
      if (programme === undefined || !this.#inStep || (await this.#keeper.intact((family) => programme.wanted(family)))) return
      this.#inStep = false
      await this.#keeper.mend((family) => programme.wanted(family))
      this.#inStep = true
    })
  }

  clear(): Promise<void> {
    return this.#inTurn(async () => {
      this.#inStep = false
      this.#programme = undefined
      await this.#keeper.remove()
      const before = this.#state
      this.#state = undefined
      if (before !== undefined) await this.#keeper.forget(datagramTargets(before, { nodeName: '', ports: new Map() }, before.ports.keys()))
    })
  }

  async #apply(state: ProxyState, changed: ReadonlySet<string> | undefined): Promise<ProxyResult> {
    this.#programme ??= new ServiceProgramme(this.#maker, await this.#keeper.families())
    const programme = this.#programme
    const before = this.#state
    // Where this node is decides for every service.
    const moved = before === undefined || before.nodeName !== state.nodeName || before.zone !== state.zone
    const ids = changed === undefined || moved ? new Set([...state.ports.keys(), ...programme.ids()]) : changed
    const wanted = programme.update(state, ids)
    this.#state = state
    const inStep = this.#inStep && changed !== undefined && !moved && (await this.#keeper.change(wanted))
    this.#inStep = false
    const changes = inStep ? wanted.ip.length + wanted.ip6.length : await this.#keeper.mend((family) => programme.wanted(family))
    this.#inStep = true
    await this.#keeper.forget(datagramTargets(before, state, ids))
    return { changes, problems: programme.problems() }
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run)
    this.#turn = turn.catch(() => {})
    return turn
  }
}
