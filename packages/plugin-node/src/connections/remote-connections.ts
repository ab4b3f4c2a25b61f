import type { Duplex } from 'node:stream'
import { ApiError, type Gauge, type Log } from '@continuo/core'
import type { NodeDialer, UpgradeRequest, UpgradeRoute } from '@continuo/workload'
import { AgentConnection } from './agent-connection.ts'
import type { Heartbeat } from './keep-alive.ts'
import { notConnected } from './not-connected.ts'
import { isNodeUser, nodeOfPath, upgradeProtocol } from './protocol.ts'

export interface RemoteConnectionsOptions {
  readonly heartbeat: Heartbeat
  readonly log: Log
  readonly open: Gauge
}

/** Connections that agents on other machines opened to this replica: one for each node, the newest. */
export class RemoteConnections implements NodeDialer, UpgradeRoute {
  readonly #options: RemoteConnectionsOptions
  readonly #connections = new Map<string, AgentConnection>()

  constructor(options: RemoteConnectionsOptions) {
    this.#options = options
  }

  has(node: string): boolean {
    return this.#connections.get(node)?.usable === true
  }

  async dial(node: string, signal: AbortSignal): Promise<Duplex> {
    const connection = this.#connections.get(node)
    if (connection === undefined) throw notConnected(node)
    return connection.dial(signal)
  }

  connected(): readonly string[] {
    return [...this.#connections.keys()]
  }

  async accept({ path, headers, caller, socket, head, signal }: UpgradeRequest): Promise<void> {
    const node = nodeOfPath(path)
    if (node === undefined) throw new ApiError('NotFound', 'the server could not find the requested resource')
    if (headers.upgrade !== upgradeProtocol) throw new ApiError('BadRequest', `connections of nodes speak ${upgradeProtocol}`)
    if (!isNodeUser(caller.user, node))
      throw new ApiError('Forbidden', `user ${JSON.stringify(caller.user.username)} is not node ${JSON.stringify(node)}`)
    if (head.length > 0) socket.unshift(head)
    if (!(await switchProtocols(socket))) return
    await this.#keep(node, new AgentConnection(node, socket, this.#options.heartbeat), signal)
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  /** Until it ends. An agent that comes again has lost the connection before, whether we know it or not. */
  #keep(node: string, connection: AgentConnection, signal: AbortSignal): Promise<void> {
    const { log } = this.#options
    this.#connections.get(node)?.close()
    this.#connections.set(node, connection)
    this.#count()
    log.info({ node }, 'the agent of a node is connected')
    return new Promise((resolve) => {
      const stop = (): void => connection.close()
      signal.addEventListener('abort', stop, { once: true })
      connection.onClose(() => {
        signal.removeEventListener('abort', stop)
        if (this.#connections.get(node) === connection) {
          this.#connections.delete(node)
          log.info({ node }, 'the agent of a node is not connected any more')
        }
        this.#count()
        resolve()
      })
      if (signal.aborted) stop()
    })
  }

  #count(): void {
    this.#options.open.set(this.#connections.size)
  }
}

/**
 * False when the connection is lost already. Waits until the answer has left: Node's HTTP/2 takes the socket over natively, and the process
 * would end by an assertion when somebody else's write completed on it.
 */
function switchProtocols(socket: Duplex): Promise<boolean> {
  return new Promise((resolve) => {
    const lost = (): void => resolve(false)
    socket.once('error', lost)
    socket.once('close', lost)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgradeProtocol}\r\n\r\n`, (error) => {
      socket.off('close', lost)
      if (error == null) socket.off('error', lost)
      resolve(error == null && !socket.destroyed)
    })
  })
}
