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
export async function checkConfig(
  asked: string | undefined,
  secrets: Pick<LoadOptions, 'env' | 'readFile'> = {},
): Promise<readonly Problem[]> {
  const file = configFile(asked)
  const all = { ...options, ...secrets }
  // A file with faults is checked as if it had a control plane: fewer faults that follow from others.
  const roles = await loadCluster(file, all).then(
    (config) => config.roles,
    (): readonly HostRole[] => ['control-plane', 'node'],
  )
  return checkCluster(file, { ...all, inherit: (role) => promised(role, roles) })
}

/** Stands for what hosts of this process get from it, and nodes from a control plane beside them. */
function promised(role: HostRole, roles: readonly HostRole[]): readonly Inherited[] {
  const settings: Inherited = [HostSettingsCap, { dataDir: '', clusterName: '' }]
  return role === 'node' && roles.includes('control-plane') ? [settings, [ObjectClientCap, {}], [NodeUplinkCap, {}]] : [settings]
}
