import { capability } from '../capability/capability.ts'

/** What whoever runs the process has decided for all plugins of its hosts. */
export interface HostSettings {
  /** Directory below which plugins keep what must survive a restart, each in a directory named after itself. */
  readonly dataDir: string
  readonly clusterName: string
  /** `HOST:PORT` on which the API shall listen, when the user said so. */
  readonly listen?: string
}

/** Require it as `optional(HostSettingsCap)`: a host in somebody's process may have none. A plugin's own configuration wins. */
export const HostSettingsCap = capability<HostSettings>('host-settings/v1')
