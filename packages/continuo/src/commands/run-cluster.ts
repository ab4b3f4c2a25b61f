import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { systemClock } from '@continuo/core'
import { renderKubeconfig } from '@continuo/lib-certificates'
import { prometheusMetrics } from '@continuo/plugin-api-http'
import { type ApiEndpoint, ApiEndpointCap } from '@continuo/workload'
import { Cluster } from '../cluster/cluster.ts'
import { loadConfig } from '../cluster/load.ts'
import { createPinoLog } from '../log/pino-log.ts'
import { kubeconfigPath, type RunFlags } from './flags.ts'

export interface RunningCluster {
  readonly cluster: Cluster
  readonly endpoint?: ApiEndpoint
  readonly kubeconfig: string
}

/** Loads the config, starts its hosts and writes the kubeconfig, readable by its owner alone. */
export async function runCluster(flags: RunFlags, logLevel: RunFlags['logLevel'], signal?: AbortSignal): Promise<RunningCluster> {
  const dataDir = resolve(flags.dataDir)
  const log = createPinoLog({ level: logLevel, pretty: process.stderr.isTTY === true })
  const config = await loadConfig(flags.config)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const cluster = new Cluster({ config, dataDir, listen: flags.listen, log, metrics: prometheusMetrics() })
  await cluster.start(signal)
  const kubeconfig = kubeconfigPath(flags)
  const endpoint = cluster.controlPlane === undefined ? undefined : optionalEndpoint(cluster)
  if (endpoint !== undefined) await writeKubeconfig(kubeconfig, cluster.name, endpoint)
  return { cluster, endpoint, kubeconfig }
}

function optionalEndpoint(cluster: Cluster): ApiEndpoint | undefined {
  try {
    return cluster.controlPlane?.use(ApiEndpointCap)
  } catch {
    return undefined
  }
}

async function writeKubeconfig(path: string, name: string, endpoint: ApiEndpoint): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const text = renderKubeconfig({ name, server: endpoint.url, authority: endpoint.authority, client: endpoint.admin })
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** A wrapper such as npm passes on a signal that the terminal has sent to us already: repeats within this time are the same wish. */
const sameWishMs = 1_500

/** Resolves when the user asks to stop. Asked again, the process ends at once and its containers run on. */
export function untilInterrupted(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    let askedAt: number | undefined
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        const now = systemClock.monotonic()
        if (askedAt !== undefined && now - askedAt > sameWishMs) process.exit(130)
        askedAt ??= now
        done(name)
      })
    }
  })
}
