import { readFileSync } from 'node:fs'

/** What `/proc/PID/stat` says about a process. */
export interface ProcessStat {
  /** `Z` for one that has ended and is not yet reaped. */
  readonly state: string
  readonly parent: number
  /** CPU time of its own and of its reaped children, in clock ticks (100 per second on every Linux we run on). */
  readonly ticks: number
  /** Clock ticks between the machine's boot and the process's start. */
  readonly start: number
  readonly residentPages: number
}

/** Parses `/proc/PID/stat`. The command's name may hold spaces and parentheses, so fields are counted from the last `)`. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 22) return undefined
  const number = (index: number): number => Number(fields[index])
  return {
    state: fields[0] ?? '',
    parent: number(1),
    ticks: number(11) + number(12) + number(13) + number(14),
    start: number(19),
    residentPages: number(21),
  }
}

export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** Differs after every boot of the machine, so that process ids of an earlier boot are recognised. */
export const readBootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()

/** A process, named so that a recycled process id is never taken for it. */
export interface ProcessIdentity {
  readonly boot: string
  readonly pid: number
  readonly start: number
}

/** Whether exactly this process is still running. */
export function isAlive(
  identity: ProcessIdentity,
  boot: string,
  read: (pid: number) => ProcessStat | undefined = readProcessStat,
): boolean {
  if (identity.boot !== boot) return false
  const stat = read(identity.pid)
  return stat !== undefined && stat.start === identity.start && stat.state !== 'Z' && stat.state !== 'X'
}
