import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { WebSocket } from 'ws'
import { announce, ChannelSocket } from './channel-socket.ts'
import { encodeStatus, type RemoteCommandOptions, type RemoteCommandStreams } from './remote-command.ts'
import { TerminalSizeParser, TerminalSizes } from './terminal-sizes.ts'

/** Subprotocols over WebSocket: 5 adds closing of single channels, 4 a Status on the error channel. */
export const webSocketExecProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'base64.channel.k8s.io',
  'channel.k8s.io',
] as const

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const

export function serveWebSocketExec(webSocket: WebSocket, protocol: string, options: RemoteCommandOptions): RemoteCommandStreams {
  const socket = new ChannelSocket(webSocket, protocol.includes('base64') ? 'base64' : 'binary', protocol.startsWith('v5'))
  const sizes = new TerminalSizes()
  const parser = new TerminalSizeParser()
  socket.listen(channels.resize, (data) => {
    if (data === undefined) sizes.end()
    else for (const size of parser.push(data)) sizes.push(size)
  })
  const stdin = options.stdin ? socket.readable(channels.stdin) : undefined
  const stdout = options.stdout ? socket.writable(channels.stdout) : undefined
  const stderr = options.stderr && !options.tty ? socket.writable(channels.stderr) : undefined
  announce(socket, stdout !== undefined ? channels.stdout : stderr !== undefined ? channels.stderr : channels.error)
  return {
    protocol,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resize: sizes,
    closed: socket.closed,
    async finish(status) {
      await Promise.all([flushed(stdout), flushed(stderr)])
      socket.send(channels.error, encodeStatus(status, /^v[45]/.test(protocol)))
      await socket.close()
    },
    destroy: () => socket.terminate(),
  }
}

async function flushed(stream: Writable | undefined): Promise<void> {
  if (stream === undefined) return
  if (!stream.writableEnded) stream.end()
  await finished(stream).catch(() => {})
}
