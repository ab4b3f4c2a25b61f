import { spawn } from 'node:child_process'
import { RuntimeError } from '@continuo/workload'

/** How long a command may take before it is killed. Milliseconds. */
const patience = 30_000

/** Runs the kernel's network tools in the node's network namespace. */
export class Kernel {
  readonly #prefix: readonly string[]

  /** @param netns Path of the node's network namespace; undefined: that of this process. */
  constructor(netns: string | undefined) {
    this.#prefix = netns === undefined ? [] : ['nsenter', `--net=${netns}`]
  }

  /**
   * Resolves with what it prints.
   * @throws RuntimeError `RUNTIME_UNAVAILABLE` with the tool's own words when it fails or is not there.
   */
  run(command: readonly string[], input = ''): Promise<string> {
    const line = [...this.#prefix, ...command]
    return new Promise((resolve, reject) => {
      const child = spawn(line[0] as string, line.slice(1), {
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: patience,
        killSignal: 'SIGKILL',
        env: { ...process.env, LC_ALL: 'C' },
      })
      let [printed, complaint] = ['', '']
      child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
      // It may end before it has read everything; its exit code tells why.
      child.stdin.on('error', () => {}).end(input)
      child.once('error', (cause) =>
        reject(
          new RuntimeError('RUNTIME_UNAVAILABLE', `${line[0]} cannot be started: ${cause.message}`, {
            cause,
            hint: 'the pod network needs root and the Debian packages iproute2, nftables and util-linux',
          }),
        ),
      )
      child.once('close', (code) => {
        if (code === 0) return resolve(printed)
        const why = complaint.trim() === '' ? `it ended with ${code ?? 'a signal'}` : complaint.trim()
        reject(new RuntimeError('RUNTIME_UNAVAILABLE', `${command.join(' ')}: ${why}`))
      })
    })
  }

  /** Runs lines of `ip`. The first that fails ends it. */
  async batch(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.run(['ip', '-batch', '-'], lines.map((line) => `${line}\n`).join(''))
  }

  /** Runs lines of `ip` that may find that there is nothing left to do. */
  async tryBatch(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.run(['ip', '-force', '-batch', '-'], lines.map((line) => `${line}\n`).join('')).catch(() => {})
  }

  /** Names of all interfaces. */
  async links(): Promise<ReadonlySet<string>> {
    const found = JSON.parse((await this.run(['ip', '-json', 'link', 'show'])) || '[]') as readonly { readonly ifname: string }[]
    return new Set(found.map(({ ifname }) => ifname))
  }
}
