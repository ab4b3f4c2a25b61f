import type { Duplex, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { SpdyConnection } from '../spdy/spdy-connection.ts'
import type { SpdyStream } from '../spdy/spdy-stream.ts'
import { StreamError } from '../stream-error.ts'
import { encodeStatus, type RemoteCommandOptions, type RemoteCommandStreams } from './remote-command.ts'
import { TerminalSizeParser, TerminalSizes } from './terminal-sizes.ts'

/** Subprotocols over SPDY. Version 2 mends half-closing, 3 adds `resize`, 4 a Status on `error`; the first has no name. */
export const spdyExecProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'] as const

/** The `streamType` headers of the streams that the client will open. */
export function expectedStreams(options: RemoteCommandOptions, protocol: string): readonly string[] {
  const resizable = protocol.startsWith('v3') || protocol.startsWith('v4')
  return [
    'error',
    ...(options.stdin ? ['stdin'] : []),
    ...(options.stdout ? ['stdout'] : []),
    ...(options.stderr && !options.tty ? ['stderr'] : []),
    ...(options.tty && resizable ? ['resize'] : []),
  ]
}

/** Resolves once the client has opened all its streams. */
export async function serveSpdyExec(transport: Duplex, protocol: string, options: RemoteCommandOptions): Promise<RemoteCommandStreams> {
  const expected = expectedStreams(options, protocol)
  const streams = new Map<string, SpdyStream>()
  let complete: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    complete = resolve
  })
  const connection = new SpdyConnection(transport, {
    role: 'server',
    maxStreams: 16,
    onStream(stream) {
      const type = (stream.headers.streamtype ?? '').toLowerCase()
      if (!expected.includes(type) || streams.has(type)) {
        stream.destroy()
        return
      }
      streams.set(type, stream)
      if (streams.size === expected.length) complete()
    },
  })
  await allStreams(ready, connection, options.signal)
  return commandStreams(connection, streams, protocol)
}

async function allStreams(ready: Promise<void>, connection: SpdyConnection, signal?: AbortSignal): Promise<void> {
  const late = (): void => connection.destroy()
  signal?.addEventListener('abort', late, { once: true })
  if (signal?.aborted) late()
  const gone = connection.finished.then(() => {
    if (signal?.aborted) throw new StreamError('STREAM_TIMEOUT', 'timed out waiting for client to create streams')
    throw new StreamError('STREAM_RESET', 'the client left before it had created its streams')
  })
  try {
    await Promise.race([ready, gone])
  } finally {
    gone.catch(() => {})
    signal?.removeEventListener('abort', late)
  }
}

function commandStreams(connection: SpdyConnection, streams: ReadonlyMap<string, SpdyStream>, protocol: string): RemoteCommandStreams {
  const sizes = new TerminalSizes()
  const parser = new TerminalSizeParser()
  const error = streams.get('error')
  streams.get('resize')?.on('data', (chunk: Buffer) => {
    for (const size of parser.push(chunk)) sizes.push(size)
  })
  // Nothing is expected from the client on these; reading them lets their end be seen.
  for (const type of ['error', 'stdout', 'stderr']) streams.get(type)?.resume()
  connection.closedSignal.addEventListener('abort', () => sizes.end())
  const stdin = streams.get('stdin')
  const stdout = streams.get('stdout')
  const stderr = streams.get('stderr')
  return {
    protocol,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resize: sizes,
    closed: connection.closedSignal,
    async finish(status) {
      await Promise.all([flushed(stdout), flushed(stderr)])
      error?.write(encodeStatus(status, protocol.startsWith('v4')))
      await flushed(error)
      connection.finish()
      await connection.finished
    },
    destroy: () => connection.destroy(),
  }
}

/** Ends a stream and waits until all of it was handed on, or nobody can take it any more. */
async function flushed(stream: Writable | undefined): Promise<void> {
  if (stream === undefined) return
  if (!stream.writableEnded) stream.end()
  await finished(stream, { readable: false }).catch(() => {})
}
