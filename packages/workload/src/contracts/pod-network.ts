import { capability } from '@continuo/core'

/** A port of the node that leads to a port of a pod. */
export interface HostPort {
  readonly containerPort: number
  readonly hostPort: number
  /** Address of the node. Unset, `0.0.0.0`: all of them. */
  readonly hostIP?: string
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
}

export interface PodNetworkRequest {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Path of the network namespace to connect. Unset: the network makes one of its own, which lives until `detach`. */
  readonly netns?: string
  readonly hostPorts?: readonly HostPort[]
}

export interface PodAttachment {
  readonly ips: readonly string[]
  /** Path of the network namespace, as asked for or made. */
  readonly netns: string
}

/**
 * Gives sandboxes an address on the cluster's network; used by runtimes whose sandboxes have namespaces of their own. Addresses
 * outlive the agent: nothing is given twice, nothing is lost. Errors are `RuntimeError`s with the code `RUNTIME_UNAVAILABLE`.
 */
export interface PodNetwork {
  /**
   * Idempotent: the same sandbox has the same addresses until it is detached. When the namespace is another one than before, or what
   * connected it is gone, it is connected anew. `lo` and the pod's interface are up when it resolves.
   */
  attach(request: PodNetworkRequest): Promise<PodAttachment>
  /** Idempotent; releases the addresses and removes the namespace that it made, also for sandboxes that it never heard of. */
  detach(uid: string): Promise<void>
  /** Uids of all sandboxes that hold an address: to reap strays. */
  attached(): Promise<readonly string[]>
}

export const PodNetworkCap = capability<PodNetwork>('pod-network/v1')
