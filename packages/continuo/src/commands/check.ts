import { resolve } from 'node:path'
import { CheckError, type Problem } from '@continuo/core'
import { Cluster } from '../cluster/cluster.ts'
import { loadSlots } from '../cluster/load.ts'

interface CheckFlags {
  readonly config?: string
  readonly dataDir: string
}

/** The hosts of a config file, made and not started. */
export async function prepareCluster(flags: CheckFlags) {
  const loaded = await loadSlots(flags.config)
  const cluster = new Cluster({ name: loaded.name, roles: loaded.roles, slots: loaded.slots, dataDir: resolve(flags.dataDir) })
  return { loaded, hosts: cluster.prepare() }
}

/** `continuo check`: every fault at once, or one line that says that there is none. */
export async function check(flags: CheckFlags): Promise<void> {
  const { loaded, hosts } = await prepareCluster(flags)
  const problems: Problem[] = []
  for (const host of hosts) problems.push(...(await host.check()))
  const distinct = [...new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()]
  if (distinct.length > 0) throw new CheckError(loaded.source, distinct)
  process.stdout.write(`${loaded.source}: ${loaded.slots.length} plugins in ${hosts.map((host) => host.role).join(' and ')}, no fault\n`)
}
