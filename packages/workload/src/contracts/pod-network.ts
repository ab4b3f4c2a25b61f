import { capability } from '@continuo/core'

/** Gives sandboxes an address on the cluster's network; used by runtimes whose sandboxes have namespaces of their own. */
export interface PodNetwork {
  /** Idempotent. `netns` is the path of the network namespace. */
  attach(request: {
    readonly uid: string
    readonly namespace: string
    readonly name: string
    readonly netns: string
  }): Promise<{ readonly ips: readonly string[] }>
  /** Idempotent; releases the addresses. */
  detach(uid: string): Promise<void>
  /** Uids of all sandboxes that hold an address: to reap strays. */
  attached(): Promise<readonly string[]>
}

export const PodNetworkCap = capability<PodNetwork>('pod-network/v1')
