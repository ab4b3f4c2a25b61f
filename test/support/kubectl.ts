import { spawn } from 'node:child_process'
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const onPath = (name: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Stock kubectl binaries of this machine by minor version, such as `1.27`; `default` is the one on the PATH. */
export function kubectls(): ReadonlyMap<string, string> {
  const found = onPath('kubectl')
  if (found === undefined) return new Map()
  const directory = dirname(realpathSync(found))
  const versions = readdirSync(directory).flatMap((name): [string, string][] => {
    const version = /^kubectl\.(\d+\.\d+)$/.exec(name)?.[1]
    return version === undefined ? [] : [[version, join(directory, name)]]
  })
  return new Map([['default', found], ...versions.sort()])
}

/** Why tests with kubectl are skipped on this machine; undefined when they can run. In CI they fail instead. */
export const kubectlMissing: string | undefined =
  kubectls().size > 0 || process.env.CI === 'true'
    ? undefined
    : 'kubectl is not on the PATH; install it with: apt-get install kubernetes-client'

export interface KubectlResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface KubectlOptions {
  readonly binary?: string
  readonly input?: string
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs kubectl to its end. A command that outlives `timeoutMs` (default 30 s) is killed and has code null. */
export function runKubectl(kubeconfig: string, args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
  const binary = options.binary ?? kubectls().get('default') ?? 'kubectl'
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ['--kubeconfig', kubeconfig, ...args], {
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 30_000,
      killSignal: 'SIGKILL',
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }))
    // It may end before it has read its input: its exit code says so.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}
