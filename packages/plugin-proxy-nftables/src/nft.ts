import { ContinuoError } from '@continuo/core'
import { runTool } from '@continuo/lib-netfilter'
import type { AddressFamily } from '@continuo/workload'
import { readBack } from './read-back.ts'

/** The program `nft`, for the tables of one name. */
export class Nft {
  readonly #command: string
  readonly #table: string

  constructor(command: string, table: string) {
    this.#command = command
    this.#table = table
  }

  table(family: AddressFamily): string {
    return `${family} ${this.#table}`
  }

  /** All of it or nothing. */
  async run(commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return
    const { code, stderr } = await runTool(this.#command, ['-f', '-'], { input: `${commands.join('\n')}\n` })
    if (code !== 0) throw failed(stderr)
  }

  /** Signatures of what is in the table; undefined when it is not there. A terse reading leaves out the elements. */
  async read(family: AddressFamily, depth: 'everything' | 'terse' = 'everything'): Promise<ReadonlyMap<string, string> | undefined> {
    const { code, stdout, stderr } = await runTool(this.#command, [
      ...(depth === 'terse' ? ['-t'] : []),
      ...['-j', 'list', 'table', family, this.#table],
    ])
    if (code === 0) return readBack(stdout)
    if (/No such file or directory/.test(stderr)) return undefined
    throw failed(stderr)
  }

  /** Removes the tables, if they are there. */
  async remove(list: readonly AddressFamily[]): Promise<void> {
    // Adding first makes deleting sure to find it; nft has no word for "if it is there" before 1.0.7.
    await this.run(list.flatMap((family) => [`add table ${this.table(family)}`, `delete table ${this.table(family)}`]))
  }

  /** The kernel knows this family. */
  async supports(family: AddressFamily): Promise<boolean> {
    const { code, stderr } = await runTool(this.#command, ['list', 'tables', family])
    if (code !== 0 && /Operation not permitted/.test(stderr)) throw failed(stderr)
    return code === 0
  }
}

function failed(stderr: string): ContinuoError {
  const message = stderr.trim().split('\n').slice(0, 4).join(' ').slice(0, 500)
  return /Operation not permitted/.test(stderr)
    ? new ContinuoError('PROXY_NOT_PERMITTED', `nft may not change the rules of the kernel: ${message}`, {
        hint: 'run the node as root, or with CAP_NET_ADMIN',
      })
    : new ContinuoError('PROXY_NFTABLES_FAILED', `nft refused: ${message}`)
}
