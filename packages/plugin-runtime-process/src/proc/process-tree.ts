import { readdir, readFile } from 'node:fs/promises'
import { type ProcessStat, readProcessStat } from '@continuo/lib-container-shim'
import { containerVariable } from '../launch-plan.ts'

/** All descendants of a process that run now, itself not among them. Processes may come and go while we look. */
export async function descendants(root: number): Promise<number[]> {
  const found: number[] = []
  for (let at = -1; at < found.length; at++) {
    const pid = at < 0 ? root : (found[at] ?? root)
    const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
    const children = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'latin1').catch(() => '')))
    found.push(...children.join(' ').split(' ').filter(Boolean).map(Number))
  }
  return found
}

/** CPU and memory of a container, summed over its processes. */
export interface Usage {
  readonly cpuNanoseconds: number
  readonly rssBytes: number
  /** Resident memory that is not shared with files. */
  readonly privateBytes: number
}

const ticksPerSecond = 100
const pageSize = 4096

/** Sums the processes of a container; what ended processes used is in their parents, last of all in the shim. */
export async function usage(shim: number): Promise<Usage> {
  const pids = await descendants(shim)
  let ticks = readProcessStat(shim)?.ticks ?? 0
  let rss = 0
  let own = 0
  for (const pid of pids) {
    const stat: ProcessStat | undefined = readProcessStat(pid)
    ticks += stat?.ticks ?? 0
    const pages = (await readFile(`/proc/${pid}/statm`, 'latin1').catch(() => '0 0 0')).split(' ').map(Number)
    rss += pages[1] ?? 0
    own += (pages[1] ?? 0) - (pages[2] ?? 0)
  }
  return {
    cpuNanoseconds: (ticks * 1_000_000_000) / ticksPerSecond,
    rssBytes: rss * pageSize,
    privateBytes: own * pageSize,
  }
}

/** Kills processes that carry the container's mark in their environment: what a killed shim left behind. Resolves with their number. */
export async function killLeftovers(containerId: string): Promise<number> {
  const mark = Buffer.from(`${containerVariable}=${containerId}\0`)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  let killed = 0
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`).catch(() => undefined)
    if (environment === undefined || pid === process.pid || !environment.includes(mark)) continue
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch {
      // It ended in the meantime.
    }
  }
  return killed
}
