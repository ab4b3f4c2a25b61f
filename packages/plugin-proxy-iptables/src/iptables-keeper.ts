import { type Clock, ContinuoError, type Log } from '@continuo/core'
import { FlowKeeper, runTool } from '@continuo/lib-netfilter'
import type { AddressFamily, DatagramTargets, FamilyChanges, RuleChange, RuleKeeper, RuleObjects } from '@continuo/workload'
import { readSaved, signature } from './read-saved.ts'
import { restoreInputs } from './restore-input.ts'

export interface IptablesKeeperOptions {
  readonly clock: Clock
  readonly log: Log
  /** What the names of its chains begin with; they are its alone. */
  readonly prefix: string
  /** The program `conntrack`. */
  readonly conntrack: string
  readonly onSync?: (sync: { readonly kind: 'full' | 'change'; readonly changes: number; readonly seconds: number }) => void
}

const program: Readonly<Record<AddressFamily, string>> = { ip: 'iptables', ip6: 'ip6tables' }
const lockSeconds = '10'

/** Keeps chains of iptables as they are wanted, by `iptables-restore --noflush` and `iptables-save`. */
export class IptablesKeeper implements RuleKeeper {
  readonly #options: IptablesKeeperOptions
  readonly #flows: FlowKeeper
  #families: readonly AddressFamily[] | undefined

  constructor(options: IptablesKeeperOptions) {
    this.#options = options
    this.#flows = new FlowKeeper(options.conntrack, options.log)
  }

  async families(): Promise<readonly AddressFamily[]> {
    if (this.#families !== undefined) return this.#families
    const supported: AddressFamily[] = []
    for (const family of ['ip', 'ip6'] as const) {
      const { code, stderr } = await runTool(program[family], ['-w', lockSeconds, '-t', 'nat', '-S', 'PREROUTING'])
      if (code !== 0 && family === 'ip') throw failed(program.ip, stderr)
      if (code === 0) supported.push(family)
    }
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
    for (const family of await this.families()) changes[family] = await this.#against(family, wanted(family))
    await this.#commit('full', changes)
    return changes.ip.length + changes.ip6.length
  }

  /** The rules in the kernel's own chains and the chains that are the same for all services: what it costs does not grow with their number. */
  async intact(wanted: (family: AddressFamily) => RuleObjects): Promise<boolean> {
    for (const family of await this.families())
      for (const [key, value] of wanted(family)) {
        const [kind = '', table = '', chain = ''] = key.split(' ', 3)
        // Objects of services come after the base.
        if (kind === 'rule' || /-(SEP|SVC|SVL|EXT)-/.test(chain)) break
        if (kind === 'open') continue
        const { code, stdout } = await runTool(program[family], ['-w', lockSeconds, '-t', table, '-S', chain])
        const actual = readSaved(`*${table}\n:${chain} - [0:0]\n${stdout}`, this.#options.prefix, new Set()).signatures.get(key)
        if (code === 0 && actual === signature(key, value)) continue
        this.#options.log.warn({ table, chain }, 'somebody changed the rules of services; putting them right')
        return false
      }
    return true
  }

  async remove(): Promise<void> {
    for (const family of await this.families()) await this.#run(family, restoreInputs(await this.#against(family, new Map())))
  }

  forget(targets: DatagramTargets): Promise<void> {
    return this.#flows.forget(targets)
  }

  async #against(family: AddressFamily, wanted: RuleObjects): Promise<readonly RuleChange[]> {
    const { prefix } = this.#options
    const { code, stdout, stderr } = await runTool(`${program[family]}-save`, [])
    if (code !== 0) throw failed(`${program[family]}-save`, stderr)
    const open = new Set([`nat ${prefix}-SERVICES`, `nat ${prefix}-NODEPORTS`, `filter ${prefix}-REFUSED`])
    const { signatures, texts } = readSaved(stdout, prefix, open)
    const changes: RuleChange[] = []
    for (const [key, after] of wanted)
      if (signatures.get(key) !== signature(key, after)) changes.push({ key, before: texts.get(key), after })
    for (const [key, before] of texts) if (!wanted.has(key)) changes.push({ key, before, after: undefined })
    return changes
  }

  async #commit(kind: 'full' | 'change', wanted: FamilyChanges): Promise<void> {
    const changes = wanted.ip.length + wanted.ip6.length
    if (changes === 0) return
    const begun = this.#options.clock.monotonic()
    for (const family of await this.families()) await this.#run(family, restoreInputs(wanted[family]))
    this.#options.onSync?.({ kind, changes, seconds: (this.#options.clock.monotonic() - begun) / 1_000 })
  }

  async #run(family: AddressFamily, inputs: readonly string[]): Promise<void> {
    const command = `${program[family]}-restore`
    for (const input of inputs) {
      const { code, stderr } = await runTool(command, ['-w', lockSeconds, '--noflush'], { input })
      if (code !== 0) throw failed(command, stderr)
    }
  }
}

function failed(command: string, stderr: string): ContinuoError {
  const message = stderr.trim().split('\n').slice(0, 4).join(' ').slice(0, 500)
  return /Permission denied|Operation not permitted/.test(stderr)
    ? new ContinuoError('PROXY_NOT_PERMITTED', `${command} may not change the rules of the kernel: ${message}`, {
        hint: 'run the node as root, or with CAP_NET_ADMIN',
      })
    : new ContinuoError('PROXY_IPTABLES_FAILED', `${command} refused: ${message}`)
}
