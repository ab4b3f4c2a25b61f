import { capability } from '@continuo/core'

/** The name server of the cluster, as pods reach it. */
export interface ClusterDns {
  /** Domain below which services and pods have their names: `cluster.local`. Without a final dot, in lower case. */
  readonly domain: string
  /** Addresses for `nameserver` lines: `resolv.conf` knows no port, so these answer on port 53. Empty while nothing does. */
  readonly nameservers: readonly string[]
}

/** Whoever sets up pods asks it what belongs into their `resolv.conf`. A node whose configuration names servers needs none. */
export const ClusterDnsCap = capability<ClusterDns>('dns/v1')
