import type { Duplex } from 'node:stream'
import { capability } from '@continuo/core'

/**
 * The control plane's way to a node's agent. Agents open and keep the connections, so a node behind NAT works.
 * The stream speaks HTTP/1.1 with the agent as server: `/containerLogs`, `/exec`, `/attach`, `/portForward`, `/stats`, `/healthz`.
 */
export interface NodeDialer {
  /** A fresh stream to the agent. Throws `NODE_NOT_CONNECTED` when this replica has no connection to it: answer 503. */
  dial(node: string, signal: AbortSignal): Promise<Duplex>
  /** Nodes that can be dialled now. */
  connected(): readonly string[]
}

export const NodeDialerCap = capability<NodeDialer>('node-connection/v1')

/** The agent's end: it offers itself to every live replica of the control plane. */
export interface NodeUplink {
  /** `accept` gets each stream that a replica opens. Disposing withdraws the offer and ends open streams. */
  offer(node: string, accept: (stream: Duplex) => void): Promise<AsyncDisposable>
}

export const NodeUplinkCap = capability<NodeUplink>('node-uplink/v1')
