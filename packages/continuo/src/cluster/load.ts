import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ClusterConfig,
  checkCluster,
  type HostRole,
  HostSettingsCap,
  type Inherited,
  type LoadOptions,
  loadCluster,
  ObjectClientCap,
  type Problem,
} from '@continuo/core'
import { NodeUplinkCap } from '@continuo/workload'

const referenceFile = fileURLToPath(new URL('../../config/reference.yaml', import.meta.url))

/** Plugins and config files that come with the distribution are found from here when the config file's own directory does not have them. */
const options: LoadOptions = {
  fallbackImport: (specifier) => import(specifier),
  fallbackResolve: createRequire(import.meta.url).resolve,
}

/** The file that was asked for, else one in the working directory, else the reference cluster. */
export function configFile(asked: string | undefined): string {
  if (asked !== undefined) return resolve(asked)
  return ['continuo.yaml', 'continuo.config.ts'].map((name) => resolve(name)).find(existsSync) ?? referenceFile
}

/** Throws a `CheckError` with every fault of the file. */
export const loadConfig = (asked: string | undefined): Promise<ClusterConfig> => loadCluster(configFile(asked), options)

/** Every fault of the file and of the hosts that it describes. */
export const checkConfig = (asked: string | undefined): Promise<readonly Problem[]> =>
  checkCluster(configFile(asked), { ...options, inherit: promised })

/** Stands for what hosts of this process get from it, and nodes from a control plane beside them. */
function promised(role: HostRole): readonly Inherited[] {
  const settings: Inherited = [HostSettingsCap, { dataDir: '', clusterName: '' }]
  return role === 'node' ? [settings, [ObjectClientCap, {}], [NodeUplinkCap, {}]] : [settings]
}
