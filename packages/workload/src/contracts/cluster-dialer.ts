import type { Duplex } from 'node:stream'
import { capability } from '@continuo/core'

/** Where a byte stream into the cluster led. */
export interface ClusterConnection {
  readonly stream: Duplex
  /** `address:port` or `pod:port`, for messages and the Host header. */
  readonly address: string
}

/**
 * The control plane's way to pods and services, for servers that forward requests: proxies, aggregation, webhooks. Pods are reached through the
 * connection of their node, so it works where pods have no address that this process could route to. Loopback and link-local addresses of
 * this machine are refused: nobody shall reach through the API what only the API may reach.
 */
export interface ClusterDialer {
  /** A fresh stream to a port of a pod. Throws `ApiError`: 404 without the pod, 400 for a pod that runs nowhere, 503 when it cannot be reached. */
  pod(pod: { readonly namespace: string; readonly name: string }, port: number, signal: AbortSignal): Promise<ClusterConnection>
  /**
   * A fresh stream to one of the ready endpoints of a service, chosen at random. `port` is the name or number of one of the service's ports;
   * empty: its only one. Throws `ApiError`: 404 without the service, 400 for a port that it does not have, 503 without a ready endpoint or when it cannot be reached.
   */
  service(
    service: { readonly namespace: string; readonly name: string },
    port: number | string,
    signal: AbortSignal,
  ): Promise<ClusterConnection>
}

export const ClusterDialerCap = capability<ClusterDialer>('cluster-dialer/v1')
