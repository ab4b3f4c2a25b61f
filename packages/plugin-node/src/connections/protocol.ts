import type { UserInfo } from '@continuo/core'
import { z } from 'zod'

/**
 * How an agent and a replica of the control plane speak over the connection that the agent opened: after an HTTP/1.1 upgrade the roles turn round.
 * The replica is the client of HTTP/2 on it, and each CONNECT is one stream to the agent's own server.
 */
export const upgradeProtocol = 'continuo-node.v1'
/** First segment of the path; the second is the node's name. */
export const upgradeRoot = 'node-connection'

export const upgradePath = (node: string): string => `/${upgradeRoot}/${encodeURIComponent(node)}`

/** The node that a path names; undefined for every other path. Pure. */
export function nodeOfPath(path: string): string | undefined {
  const [, encoded] = new RegExp(`^/${upgradeRoot}/([^/?]{1,760})$`).exec(path) ?? []
  if (encoded === undefined) return undefined
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

/** True for the certificate of that node, and for nobody else, whatever else they may. Pure. */
export const isNodeUser = ({ username, groups }: UserInfo, node: string): boolean =>
  node !== '' && username === `system:node:${node}` && groups?.includes('system:nodes') === true

/** Streams that are open on one connection; one more is 503. */
export const maxStreams = 1_000
/** What a stream, and the connection as a whole, may send before it is read. */
export const streamWindow = 256 * 1024
export const connectionWindow = 8 * 1024 * 1024

/** Limits of both ends that HTTP/2 itself knows. */
export const sessionSettings = { enablePush: false, initialWindowSize: streamWindow, maxConcurrentStreams: maxStreams } as const

const seconds = z.number().positive()

/** How the two ends find out that the other is gone. */
export const heartbeatConfig = {
  pingSeconds: seconds.default(10).describe('Time between two pings of a connection between a control plane and an agent.'),
  pingTimeoutSeconds: seconds.default(10).describe('Time in which a ping must be answered, or the connection is given up.'),
}
