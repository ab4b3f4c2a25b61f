import { capability } from '../capability/capability.ts'

export interface HealthResult {
  /** `slot/check`, or the name of a check of the host itself. */
  readonly name: string
  readonly ok: boolean
  /** It says whether the process can serve, not whether it lives. */
  readonly readinessOnly?: boolean
  /** Why not. */
  readonly reason?: string
}

/** What servers of `/readyz` and `/livez` ask. */
export interface Health {
  /** The host has started completely and is not stopping. */
  readonly ready: boolean
  /** Runs every check; one that takes longer than a second has failed. */
  check(): Promise<readonly HealthResult[]>
}

/** Every host provides it. */
export const HealthCap = capability<Health>('health/v1')
