import { resolve } from 'node:path'
import type { HostRole } from '@continuo/core'

/** Flags of `up` and `start` as commander hands them over. */
export interface RunFlags {
  readonly config?: string
  readonly dataDir: string
  readonly listen?: string
  readonly kubeconfig?: string
  /** Runs the hosts of this role alone, of those that the config has. */
  readonly role?: HostRole
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export const kubeconfigPath = (flags: { readonly kubeconfig?: string; readonly dataDir: string }): string =>
  resolve(flags.kubeconfig ?? `${flags.dataDir}/kubeconfig`)
