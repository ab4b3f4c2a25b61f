// Time from the start of the process until ready, beside an empty Node process: the library on the memory store, and the whole distribution.
// Needs the build, for nobody starts from source:
//   pnpm run build && node bench/start.bench.ts [rounds, default 5]

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { header, row, spread } from './support/figures.ts'

const rounds = Number(process.argv[2] ?? 5)
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const bin = file('../packages/continuo/dist/bin.js')
if (!existsSync(bin)) throw new Error('there is no build: run `pnpm run build` first')

interface Started {
  readonly wall: number
  /** Of the process until it was ready, all threads; Linux only. */
  readonly loaded: number
  readonly resident: number
}

/** Starts, waits for the line that says ready, and stops. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, settleMs = 0): Promise<Started> {
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  return new Promise((resolve, reject) => {
    let text = ''
    let wall = 0
    let resident = 0
    child.stdout.on('data', async (chunk: Buffer) => {
      text += chunk
      if (wall > 0 || !/ready in \d+ ms/.test(text)) return
      wall = performance.now() - began
      if (settleMs > 0) await new Promise((done) => setTimeout(done, settleMs))
      resident = await residentOf(child.pid as number)
      child.kill('SIGTERM')
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      if (wall === 0) reject(new Error(`${args.join(' ')} ended with ${code}: ${text}`))
      else resolve({ wall, loaded: Number(/loaded in (\d+) ms/.exec(text)?.[1] ?? 0), resident })
    })
  })
}

/** Megabytes of memory that a process holds; 0 where that cannot be read. */
async function residentOf(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises')
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
}

const directory = mkdtempSync(join(tmpdir(), 'continuo-bench-'))
const cache = join(directory, 'compiled')
const empty: number[] = []
const library = { wall: [] as number[], loaded: [] as number[] }
const first = { wall: [] as number[], resident: [] as number[] }
const anew = { wall: [] as number[], resident: [] as number[] }
const again = { wall: [] as number[], resident: [] as number[] }
const up = (dataDir: string): string[] => [
  bin,
  'up',
  '--data-dir',
  join(directory, dataDir),
  '--listen',
  '127.0.0.1:0',
  '--log-level',
  'silent',
]
for (let round = 0; round < rounds; round++) {
  empty.push((await start(['-e', 'console.log("ready in 0 ms"); setInterval(() => {}, 1000)'], {})).wall)
  const { wall, loaded } = await start([file('./support/library.mjs')], {})
  library.wall.push(wall)
  library.loaded.push(loaded)
  for (const [measured, dataDir, compiled] of [
    [first, `first-${round}`, join(directory, `compiled-${round}`)],
    [anew, `anew-${round}`, cache],
    [again, `anew-${round}`, cache],
  ] as const) {
    if (round === 0 && measured === anew) await start(up('warm'), { NODE_COMPILE_CACHE: cache })
    const { wall, resident } = await start(up(dataDir), { NODE_COMPILE_CACHE: compiled }, 3_000)
    measured.wall.push(wall)
    measured.resident.push(resident)
  }
}
rmSync(directory, { recursive: true })

header(['start to ready', 'ms (range)', 'resident 3 s later, MB (range)'])
row(['empty Node process', spread(empty), ''])
row([`library, memory store (${spread(library.loaded)} ms of it until all is loaded)`, spread(library.wall), ''])
row(['distribution, the very first start: nothing compiled, no certificates', spread(first.wall), spread(first.resident)])
row(['distribution, new data directory', spread(anew.wall), spread(anew.resident)])
row(['distribution, started again', spread(again.wall), spread(again.resident)])
