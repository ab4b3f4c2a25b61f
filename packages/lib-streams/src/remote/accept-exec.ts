import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { StreamError } from '../stream-error.ts'
import type { RemoteCommandOptions, RemoteCommandStreams } from './remote-command.ts'
import { serveSpdyExec, spdyExecProtocols } from './spdy-exec.ts'
import { acceptSpdyUpgrade, acceptWebSocket, refuseUpgrade, upgradeKind } from './upgrade.ts'
import { serveWebSocketExec, webSocketExecProtocols } from './websocket-exec.ts'

/**
 * Accepts an exec or attach over SPDY or WebSocket, whichever the request asks for (KEP-4006; the kubelet's streaming protocol).
 * Call it from an HTTP server's `upgrade` event. When it throws `STREAM_NO_PROTOCOL` the client has been answered with 400 or 403.
 * @example
 * const streams = await acceptExec(request, socket, head, { stdin: true, stdout: true, stderr: true, tty: false })
 * await streams.finish(exitStatus(await runtime.exec(container, command, { ...streams, tty: false }, streams.closed)))
 */
export async function acceptExec(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: RemoteCommandOptions,
): Promise<RemoteCommandStreams> {
  const kind = upgradeKind(request)
  if (kind === 'websocket') {
    const { webSocket, protocol } = await acceptWebSocket(request, socket, head, webSocketExecProtocols, 'channel.k8s.io')
    return serveWebSocketExec(webSocket, protocol, options)
  }
  if (kind === 'spdy') {
    const protocol = acceptSpdyUpgrade(request, socket, spdyExecProtocols, 'channel.k8s.io')
    if (head.length > 0) socket.unshift(head)
    return serveSpdyExec(socket, protocol, options)
  }
  refuseUpgrade(socket, 400, 'unable to upgrade: missing or unknown upgrade header')
  throw new StreamError('STREAM_NO_PROTOCOL', 'the request asks for no upgrade that we know')
}
