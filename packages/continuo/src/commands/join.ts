import { resolve } from 'node:path'
import { ContinuoError, systemClock } from '@continuo/core'
import { configFile, loadConfig } from '../cluster/load.ts'
import { joinControlPlane, joinNode } from '../join/join-node.ts'
import { hasJoined, nodeFiles } from '../join/node-files.ts'
import type { RunFlags } from './flags.ts'
import { makeDirectory } from './make-directory.ts'
import { interruptedCode, untilInterrupted } from './run-cluster.ts'
import { runUntil } from './up.ts'

export interface JoinFlags extends Omit<RunFlags, 'role'> {
  readonly token?: string
  readonly caHash?: string
  readonly nodeName?: string
  readonly controlPlane?: boolean
  readonly certificateKey?: string
  readonly start: boolean
}

/** Plugins that ask the machine for the node's name unless they are told it. */
const namedPlugins = new Set(['node', 'service-routing', 'network-routed'])

/** `continuo join URL`: makes this machine a node of a cluster elsewhere, or one more control plane of it, and runs it in the foreground. */
export async function join(url: string | undefined, flags: JoinFlags): Promise<void> {
  const dataDir = resolve(flags.dataDir)
  const interrupted = untilInterrupted()
  const abort = new AbortController()
  void interrupted.then(() => abort.abort())
  try {
    if (flags.controlPlane === true) {
      await refuseOwnStore(flags.config)
      await makeDirectory(dataDir)
      const certificateKey = wanted(flags.certificateKey, '--certificate-key')
      await joinControlPlane({ ...invitation(url, flags), certificateKey, dataDir, clock: systemClock, signal: abort.signal })
      process.stdout.write(`the keys of the control plane are in ${dataDir}\n`)
    } else if (url !== undefined || !hasJoined(dataDir)) {
      const asked = invitation(url, flags)
      const { slots } = await loadConfig(flags.config)
      await makeDirectory(dataDir)
      const node = await joinNode({
        ...asked,
        dataDir,
        node: flags.nodeName,
        base: configFile(flags.config),
        named: slots.filter(({ plugin }) => namedPlugins.has(plugin.name)).map(({ slot }) => slot),
        clock: systemClock,
        signal: abort.signal,
      })
      process.stdout.write(`joined as node ${node}; from now on: continuo join --data-dir ${flags.dataDir}\n`)
    }
  } catch (error) {
    if (abort.signal.aborted) process.exit(interruptedCode)
    throw error
  }
  if (!flags.start) return
  const role = flags.controlPlane === true ? 'control-plane' : 'node'
  await runUntil(interrupted, abort, { ...flags, role, config: role === 'node' ? nodeFiles(dataDir).config : flags.config })
}

function invitation(url: string | undefined, { token, caHash }: JoinFlags) {
  return { url: wanted(url, 'URL'), token: wanted(token, '--token'), caHash: wanted(caHash, '--ca-hash') }
}

function wanted(value: string | undefined, what: string): string {
  if (value !== undefined) return value
  throw new ContinuoError('JOIN_INCOMPLETE', `${what} is missing, and this data directory has not joined a cluster yet`, {
    hint: 'run continuo token create on the control plane, and here the line that it prints',
  })
}

/** Replicas of a control plane share one store. */
async function refuseOwnStore(file: string | undefined): Promise<void> {
  const { slots } = await loadConfig(file)
  const own = slots.find(({ plugin }) => plugin.name === 'store-sqlite' || plugin.name === 'store-memory')
  if (own !== undefined)
    throw new ContinuoError('JOIN_STORE', `the config has a store of its own (${own.plugin.name}), which no other control plane shares`, {
      hint: 'name a config file with --config whose store is that of the other control planes, such as plugin-store-etcd',
    })
}
