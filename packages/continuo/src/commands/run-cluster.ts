import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CheckError, type ClusterConfig, ContinuoError, type HostRole, systemClock } from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { prometheusMetrics, readListen } from '@continuo/plugin-api-http'
import { type ApiEndpoint, ApiEndpointCap } from '@continuo/workload'
import { Cluster } from '../cluster/cluster.ts'
import { checkConfig, configFile, loadConfig } from '../cluster/load.ts'
import { createPinoLog } from '../log/pino-log.ts'
import { returnIdleMemory } from '../memory/return-idle-memory.ts'
import { kubeconfigPath, type RunFlags } from './flags.ts'
import { makeDirectory } from './make-directory.ts'

export interface RunningCluster {
  readonly cluster: Cluster
  readonly endpoint?: ApiEndpoint
  readonly kubeconfig: string
}

/** Loads the config, starts its hosts and writes the kubeconfig, readable by its owner alone. */
export async function runCluster(flags: RunFlags, logLevel: RunFlags['logLevel'], signal?: AbortSignal): Promise<RunningCluster> {
  // Before anything is opened or made.
  if (flags.listen !== undefined) readListen(flags.listen)
  const dataDir = resolve(flags.dataDir)
  const log = createPinoLog({ level: logLevel, pretty: process.stderr.isTTY === true })
  const config = inRole(await loadConfig(flags.config).catch((error) => everyFault(flags, error)), flags.role)
  const cluster = new Cluster({ config, dataDir, listen: flags.listen, log, metrics: prometheusMetrics({ defaults: true }) })
  const faults = await Promise.all(cluster.prepare().map((host) => host.check()))
  if (faults.flat().length > 0) await everyFault(flags, new CheckError(config.file, faults.flat()))
  await makeDirectory(dataDir)
  await cluster.start(signal)
  returnIdleMemory({ clock: systemClock })
  const kubeconfig = kubeconfigPath(flags)
  const endpoint = cluster.controlPlane === undefined ? undefined : optionalEndpoint(cluster)
  try {
    if (endpoint !== undefined) await writeKubeconfig(kubeconfig, cluster.name, endpoint)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return { cluster, endpoint, kubeconfig }
}

/** Of the roles that the config has the one that was asked for. Throws `ROLE_UNKNOWN`. */
function inRole(config: ClusterConfig, role: HostRole | undefined): ClusterConfig {
  if (role === undefined) return config
  if (config.roles.includes(role)) return { ...config, roles: [role] }
  throw new ContinuoError('ROLE_UNKNOWN', `the config ${config.file} has no role ${role}: its roles are ${config.roles.join(', ')}`, {
    hint: 'name another config with --config, or add the role to `roles`',
  })
}

/** Throws every fault of the config file, and not only those of the step that failed; `error` when it has none. */
async function everyFault(flags: RunFlags, error: unknown): Promise<never> {
  const problems = await checkConfig(flags.config)
  throw problems.length === 0 ? error : new CheckError(configFile(flags.config), problems)
}

function optionalEndpoint(cluster: Cluster): ApiEndpoint | undefined {
  try {
    return cluster.controlPlane?.use(ApiEndpointCap)
  } catch {
    return undefined
  }
}

async function writeKubeconfig(path: string, name: string, endpoint: ApiEndpoint): Promise<void> {
  const text = renderKubeconfig({ name, server: endpoint.url, authority: endpoint.authority, client: endpoint.admin })
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, text, { mode: 0o600 })
    await rename(`${path}.new`, path)
  } catch (cause) {
    throw new ContinuoError('KUBECONFIG', `the kubeconfig ${path} cannot be written: ${(cause as Error).message}`, {
      hint: 'name another file with --kubeconfig',
      cause,
    })
  }
}

/** A wrapper such as npm passes on a signal that the terminal has sent to us already: repeats within this time are the same wish. */
const sameWishMs = 1_500

/** Exit code of a start that the user gave up. */
export const interruptedCode = 130

/** Resolves when the user asks to stop. Asked again, the process ends at once and its containers run on. */
export function untilInterrupted(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    let askedAt: number | undefined
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        const now = systemClock.monotonic()
        if (askedAt !== undefined && now - askedAt > sameWishMs) process.exit(interruptedCode)
        askedAt ??= now
        done(name)
      })
    }
  })
}
