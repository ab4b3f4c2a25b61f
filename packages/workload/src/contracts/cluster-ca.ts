import { capability } from '@continuo/core'

/** The certificate authority that clients of this cluster's API trust. */
export interface ClusterCa {
  /** PEM. */
  readonly certificate: string
}

export const ClusterCaCap = capability<ClusterCa>('cluster-ca/v1')
