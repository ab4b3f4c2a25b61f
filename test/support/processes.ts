import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Live processes other than this one whose command line or environment names a text, such as a data directory. Zombies do not count. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        if (/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) return false
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text) || readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
        )
      } catch {
        return false
      }
    })
    .map(Number)
}

/** A process of a container as its shim wrote it down: the same pair of numbers is the same process. */
export interface ContainerProcess {
  readonly pid: number
  readonly pidStart: number
}

/** The main process of each container of a pod in a data directory, the latest attempt, by container. */
export function containerProcesses(dataDir: string, uid: string): Readonly<Record<string, ContainerProcess>> {
  const directory = join(dataDir, 'runtime', 'sandboxes', uid, 'containers')
  const found: Record<string, ContainerProcess & { attempt: number }> = {}
  for (const entry of readdirSync(directory)) {
    const [name = '', attempt] = [entry.slice(0, entry.lastIndexOf('.')), Number(entry.slice(entry.lastIndexOf('.') + 1))]
    if ((found[name]?.attempt ?? -1) > attempt) continue
    const start = readFileSync(join(directory, entry, 'start'), 'latin1')
    const number = (key: string): number => Number(new RegExp(`(?:^|\\0|\\n)${key}=(\\d+)`).exec(start)?.[1])
    found[name] = { attempt, pid: number('pid'), pidStart: number('pidStart') }
  }
  return Object.fromEntries(Object.entries(found).map(([name, { pid, pidStart }]) => [name, { pid, pidStart }]))
}

/** Whether exactly this process runs. */
export function isRunning({ pid, pidStart }: ContainerProcess): boolean {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    return Number(fields[19]) === pidStart && fields[0] !== 'Z'
  } catch {
    return false
  }
}
