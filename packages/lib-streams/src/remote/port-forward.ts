import type { IncomingMessage } from 'node:http'
import { Duplex, type Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import { SpdyConnection } from '../spdy/spdy-connection.ts'
import type { SpdyStream } from '../spdy/spdy-stream.ts'
import { StreamError } from '../stream-error.ts'
import { ChannelSocket } from './channel-socket.ts'
import { acceptSpdyUpgrade, acceptWebSocket, refuseUpgrade, upgradeKind } from './upgrade.ts'
import { webSocketTransport } from './websocket-transport.ts'

/** One connection that a client forwards. Write a sentence to `error` if it fails; end both when it is over. */
export interface ForwardedConnection {
  readonly port: number
  readonly data: Duplex
  readonly error: Writable
}

/** An accepted port-forward: iterate for its connections, until the client has gone or `close` was called. */
export interface PortForwardSession extends AsyncIterable<ForwardedConnection> {
  readonly protocol: string
  readonly closed: AbortSignal
  close(): void
}

/** The subprotocol over SPDY. */
const spdyProtocol = 'portforward.k8s.io'
/** SPDY frames inside WebSocket messages (KEP-4006). */
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
/** One pair of channels for each port, one connection each. */
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const

/** Connections that may wait for their second stream; the oldest is dropped beyond. */
const maxHalfOpen = 100

/** Hands connections to one reader in order. Bounded by the number of streams that a connection may have. */
class ConnectionQueue implements AsyncIterable<ForwardedConnection> {
  readonly #waiting: ForwardedConnection[] = []
  #ended = false
  #wake: () => void = () => {}

  push(connection: ForwardedConnection): void {
    this.#waiting.push(connection)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ForwardedConnection, void, undefined> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) yield next
      else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

/**
 * Accepts a port-forward over SPDY, over SPDY tunnelled in a WebSocket, or over WebSocket channels (then `ports` are those of the
 * request's query). Call it from an HTTP server's `upgrade` event. When it throws `STREAM_NO_PROTOCOL` the client has been answered.
 */
export async function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: { readonly ports?: readonly number[] } = {},
): Promise<PortForwardSession> {
  const kind = upgradeKind(request)
  if (kind === 'websocket') {
    const { webSocket, protocol } = await acceptWebSocket(request, socket, head, [tunnelProtocol, ...channelProtocols], channelProtocols[0])
    return protocol === tunnelProtocol
      ? serveSpdyPortForward(webSocketTransport(webSocket), protocol)
      : serveChannelPortForward(webSocket, protocol, options.ports ?? [])
  }
  if (kind === 'spdy') {
    const protocol = acceptSpdyUpgrade(request, socket, [spdyProtocol], spdyProtocol)
    if (head.length > 0) socket.unshift(head)
    return serveSpdyPortForward(socket, protocol)
  }
  refuseUpgrade(socket, 400, 'unable to upgrade: missing or unknown upgrade header')
  throw new StreamError('STREAM_NO_PROTOCOL', 'the request asks for no upgrade that we know')
}

/** Pairs the streams of each connection by their `requestid`; clients that send none open the data stream right after its error stream. */
export function serveSpdyPortForward(transport: Duplex, protocol: string): PortForwardSession {
  const queue = new ConnectionQueue()
  const halves = new Map<string, { data?: SpdyStream; error?: SpdyStream }>()
  const connection = new SpdyConnection(transport, {
    role: 'server',
    onStream(stream) {
      const type = stream.headers.streamtype
      const port = Number(stream.headers.port)
      if ((type !== 'data' && type !== 'error') || !Number.isInteger(port) || port < 1 || port > 65_535) {
        stream.destroy()
        return
      }
      const id = stream.headers.requestid ?? String(type === 'data' ? stream.id - 2 : stream.id)
      const pair = { ...halves.get(id), [type]: stream }
      halves.set(id, pair)
      if (pair.data !== undefined && pair.error !== undefined) {
        halves.delete(id)
        pair.error.resume()
        queue.push({ port: Number(pair.data.headers.port), data: pair.data, error: pair.error })
      } else if (halves.size > maxHalfOpen) dropOldest(halves)
    },
  })
  connection.closedSignal.addEventListener('abort', () => queue.end())
  return {
    protocol,
    closed: connection.closedSignal,
    close: () => connection.finish(),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  }
}

function dropOldest(halves: Map<string, { data?: SpdyStream; error?: SpdyStream }>): void {
  const [oldest] = halves
  if (oldest === undefined) return
  halves.delete(oldest[0])
  oldest[1].data?.destroy()
  oldest[1].error?.destroy()
}

function serveChannelPortForward(webSocket: WebSocket, protocol: string, ports: readonly number[]): PortForwardSession {
  const socket = new ChannelSocket(webSocket, protocol.includes('base64') ? 'base64' : 'binary', false)
  const queue = new ConnectionQueue()
  ports.forEach((port, index) => {
    const data = Duplex.from({ readable: socket.readable(2 * index), writable: socket.writable(2 * index) })
    const error = socket.writable(2 * index + 1)
    data.on('error', () => {})
    const number = Buffer.alloc(2)
    number.writeUInt16LE(port)
    // Each channel begins with its port, so that clients know which is which.
    socket.send(2 * index, number)
    socket.send(2 * index + 1, number)
    queue.push({ port, data, error })
  })
  socket.closed.addEventListener('abort', () => queue.end())
  return {
    protocol,
    closed: socket.closed,
    close: () => void socket.close(),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
  }
}
