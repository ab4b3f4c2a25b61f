import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../packages/continuo/src/bin.ts', import.meta.url))

export interface ClusterProcessOptions {
  readonly dataDir: string
  readonly config?: string
  readonly listen?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A `continuo up` of its own, run from source. */
export interface ClusterProcess {
  readonly pid: number
  readonly dataDir: string
  readonly kubeconfig: string
  /** What it said on the last line of its start. */
  readonly readyMs: number
  /** Everything that it has written so far. */
  output(): string
  /** Ends it as a user would, and waits for it. Resolves with the exit code. */
  interrupt(): Promise<number | null>
  /** Ends it as a power cut would: SIGKILL, to this process alone. */
  kill(): Promise<void>
}

/** Starts a cluster and resolves when it is ready. Throws with its output when it ends before. */
export async function startProcess(options: ClusterProcessOptions): Promise<ClusterProcess> {
  const args = [
    '--conditions=@continuo/source',
    bin,
    'up',
    '--data-dir',
    options.dataDir,
    '--listen',
    options.listen ?? '127.0.0.1:0',
    '--log-level',
    'warn',
  ]
  if (options.config !== undefined) args.push('--config', options.config)
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } })
  const chunks: string[] = []
  const exited = once(child, 'exit')
  const ready = new Promise<number>((resolve, reject) => {
    const read = (data: Buffer): void => {
      chunks.push(String(data))
      const match = /^ready in (\d+) ms/m.exec(chunks.join(''))
      if (match !== null) resolve(Number(match[1]))
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.on('exit', (code) => reject(new Error(`continuo up ended with ${code}:\n${chunks.join('')}`)))
  })
  const readyMs = await ready
  return {
    pid: child.pid as number,
    dataDir: options.dataDir,
    kubeconfig: join(options.dataDir, 'kubeconfig'),
    readyMs,
    output: () => chunks.join(''),
    interrupt: async () => {
      child.kill('SIGINT')
      const [code] = await exited
      return code as number | null
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** A temporary directory and the function that removes it. */
export async function temporaryDirectory(name: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `continuo-${name}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
