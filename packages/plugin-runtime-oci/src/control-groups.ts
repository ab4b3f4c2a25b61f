import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ResourceLimits } from '@continuo/workload'

const mountPoint = '/sys/fs/cgroup'
const controllers = ['memory', 'cpu', 'cpuacct', 'pids', 'freezer'] as const
const periodMicroseconds = 100_000

export interface Usage {
  readonly cpuNanoseconds: number
  readonly memoryWorkingSetBytes: number
  readonly memoryRssBytes: number
}

/** One file to write. */
interface Setting {
  readonly controller: (typeof controllers)[number]
  readonly file: string
  readonly value: string
}

/** Weight by requests: 1,024 shares are a core. */
const shares = (cores: number): number => Math.min(262_144, Math.max(2, Math.round(cores * 1_024)))

/** What limits are in files of version 1 or 2. Pure. */
export function settings({ cpuRequest, cpuLimit, memoryLimit }: ResourceLimits, pids: number, unified: boolean): readonly Setting[] {
  const quota = cpuLimit === undefined || cpuLimit === 0 ? undefined : Math.max(1_000, Math.round(cpuLimit * periodMicroseconds))
  const memory = memoryLimit === undefined || memoryLimit === 0 ? undefined : Math.floor(memoryLimit)
  const weight = shares(cpuRequest ?? cpuLimit ?? 0)
  if (unified)
    return [
      { controller: 'cpu', file: 'cpu.max', value: `${quota ?? 'max'} ${periodMicroseconds}` },
      { controller: 'cpu', file: 'cpu.weight', value: String(Math.round(1 + ((weight - 2) * 9_999) / 262_142)) },
      { controller: 'memory', file: 'memory.max', value: String(memory ?? 'max') },
      { controller: 'pids', file: 'pids.max', value: pids > 0 ? String(pids) : 'max' },
    ]
  return [
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(periodMicroseconds) },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(quota ?? -1) },
    { controller: 'cpu', file: 'cpu.shares', value: String(weight) },
    { controller: 'memory', file: 'memory.limit_in_bytes', value: String(memory ?? -1) },
    { controller: 'pids', file: 'pids.max', value: pids > 0 ? String(pids) : 'max' },
  ]
}

const field = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)

/**
 * Control groups of containers. They are ours and not the OCI runtime's, so that they are there before a container begins and after it has
 * ended: how it was, and whether the kernel killed something for want of memory, can be told until it is removed.
 */
export class ControlGroups {
  readonly #parent: string
  readonly #pids: number
  readonly #unified = existsSync(join(mountPoint, 'cgroup.controllers'))

  constructor(parent: string, pids: number) {
    this.#parent = parent
    this.#pids = pids
  }

  /** Makes the group of a container, with its limits. Idempotent. Resolves with the files into which a process writes its id to join. */
  async prepare(name: string, limits: ResourceLimits): Promise<readonly string[]> {
    for (const directory of this.#directories(name)) await mkdir(directory, { recursive: true })
    if (this.#unified) await this.#delegate(name)
    await this.limit(name, limits)
    return this.files(name)
  }

  /** The files into which a process writes its id to join. */
  files(name: string): readonly string[] {
    return this.#directories(name).map((directory) => join(directory, 'cgroup.procs'))
  }

  async limit(name: string, limits: ResourceLimits): Promise<void> {
    for (const { controller, file, value } of settings(limits, this.#pids, this.#unified)) {
      const path = join(this.#directory(controller, name), file)
      if (existsSync(path)) await writeFile(path, value)
    }
  }

  /** Undefined when there is no such group. */
  async usage(name: string): Promise<Usage | undefined> {
    const memory = this.#directory('memory', name)
    try {
      const stat = await readFile(join(memory, 'memory.stat'), 'latin1')
      if (this.#unified) {
        const used = Number(await readFile(join(memory, 'memory.current'), 'latin1'))
        const cpu = field(await readFile(join(memory, 'cpu.stat'), 'latin1'), 'usage_usec') * 1_000
        return {
          cpuNanoseconds: cpu,
          memoryWorkingSetBytes: Math.max(0, used - field(stat, 'inactive_file')),
          memoryRssBytes: field(stat, 'anon'),
        }
      }
      const used = Number(await readFile(join(memory, 'memory.usage_in_bytes'), 'latin1'))
      const cpu = Number(await readFile(join(this.#directory('cpuacct', name), 'cpuacct.usage'), 'latin1'))
      return {
        cpuNanoseconds: cpu,
        memoryWorkingSetBytes: Math.max(0, used - field(stat, 'total_inactive_file')),
        memoryRssBytes: field(stat, 'total_rss'),
      }
    } catch {
      return undefined
    }
  }

  /** Whether the kernel killed a process of the group for want of memory. */
  async outOfMemory(name: string): Promise<boolean> {
    const file = this.#unified ? 'memory.events' : 'memory.oom_control'
    const text = await readFile(join(this.#directory('memory', name), file), 'latin1').catch(() => '')
    return field(text, 'oom_kill') > 0
  }

  /** Ids of all processes in the group. */
  async processes(name: string): Promise<readonly number[]> {
    const text = await readFile(join(this.#directory('memory', name), 'cgroup.procs'), 'latin1').catch(() => '')
    return text.split('\n').filter(Boolean).map(Number)
  }

  /** Idempotent. What still lives in it keeps it, until the next time. */
  async remove(name: string): Promise<void> {
    for (const directory of this.#directories(name)) {
      for (const child of (await readdir(directory, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory()))
        await rmdir(join(directory, child.name)).catch(() => {})
      await rmdir(directory).catch(() => {})
    }
  }

  /** Removes the group that holds all others, when it is empty. */
  async removeParent(name = ''): Promise<void> {
    for (const directory of this.#directories(name)) await rmdir(directory).catch(() => {})
  }

  #directories(name: string): readonly string[] {
    return this.#unified
      ? [join(mountPoint, this.#parent, name)]
      : controllers.filter((controller) => existsSync(join(mountPoint, controller))).map((controller) => this.#directory(controller, name))
  }

  #directory(controller: string, name: string): string {
    return this.#unified ? join(mountPoint, this.#parent, name) : join(mountPoint, controller, this.#parent, name)
  }

  async #delegate(name: string): Promise<void> {
    const above: string[] = []
    for (let path = dirname(join(mountPoint, this.#parent, name)); path.startsWith(mountPoint); path = dirname(path)) above.unshift(path)
    for (const path of above) await writeFile(join(path, 'cgroup.subtree_control'), '+cpu +memory +pids').catch(() => {})
  }
}
