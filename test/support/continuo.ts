import { type ChildProcess, spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from './cluster-process.ts'
import { eventually } from './eventually.ts'
import { processesWith } from './processes.ts'

const bin = fileURLToPath(new URL('../../packages/continuo/src/bin.ts', import.meta.url))

/** One run of the command line, from source. */
export interface ContinuoRun {
  readonly child: ChildProcess
  /** Everything that it has written so far, both streams. */
  output(): string
  /** Resolves when it has ended and its streams are read; code is null when a signal ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>
}

/** Starts `continuo ARGS` and does not wait. */
export function spawnContinuo(args: readonly string[], options: { readonly cwd?: string } = {}): ContinuoRun {
  const child = spawn(process.execPath, ['--conditions=@continuo/source', bin, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  const output = (): string => Buffer.concat(chunks).toString('utf8')
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: output() }))
  })
  return { child, output, ended }
}

/** A data directory that takes every process with it that still runs on it. */
export async function dataDirectory(name: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const { path } = await temporaryDirectory(name)
  return {
    path,
    async remove() {
      for (const pid of processesWith(path)) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has just ended.
        }
      }
      await eventually(() => {
        if (processesWith(path).length > 0) throw new Error(`processes ${processesWith(path)} of ${path} do not end`)
      }, 5_000)
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
