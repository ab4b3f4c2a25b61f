import { request as httpRequest } from 'node:http'
import { performServerHandshake, type ServerHttp2Session } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { type Clock, ContinuoError } from '@continuo/core'
import type { RemoteApiTls } from '@continuo/workload'
import { connectionWindow, sessionSettings, upgradePath, upgradeProtocol } from './protocol.ts'

const connectTimeoutMs = 10_000

export interface OpenOptions {
  /** Origin of the replica. */
  readonly origin: string
  readonly node: string
  readonly tls: RemoteApiTls
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Gets each stream that the replica opens. */
  readonly accept: (stream: Duplex) => void
}

/** Connects to a replica and turns the roles round: the replica opens streams from now on. Throws `NODE_UPLINK` with why it could not. */
export function openConnection({ origin, node, tls, clock, signal, accept }: OpenOptions): Promise<ServerHttp2Session> {
  return new Promise((resolve, reject) => {
    const request = (origin.startsWith('https:') ? httpsRequest : httpRequest)(new URL(upgradePath(node), origin), {
      ...tls,
      minVersion: 'TLSv1.2',
      agent: false,
      headers: { connection: 'Upgrade', upgrade: upgradeProtocol },
      signal,
    })
    const fail = (why: string, cause?: unknown): void => {
      cancel()
      request.destroy()
      reject(
        new ContinuoError('NODE_UPLINK', `the API at ${origin} takes no connection of node ${JSON.stringify(node)}: ${why}`, {
          hint: 'check that this machine reaches the API, and that the certificate of the node is valid',
          cause,
        }),
      )
    }
    const cancel = clock.after(connectTimeoutMs, () => fail(`no answer within ${connectTimeoutMs} ms`))
    request.once('error', (cause) => fail(cause.message, cause))
    request.once('response', (answer) => {
      answer.resume()
      fail(`it answered ${answer.statusCode}`)
    })
    request.once('upgrade', (_answer, socket, head) => {
      cancel()
      request.removeAllListeners('error')
      request.on('error', () => socket.destroy())
      if (head.length > 0) socket.unshift(head)
      resolve(serve(socket, accept))
    })
    request.end()
  })
}

function serve(socket: Duplex, accept: (stream: Duplex) => void): ServerHttp2Session {
  const session = performServerHandshake(socket, { settings: sessionSettings })
  session.setLocalWindowSize(connectionWindow)
  session.on('error', () => session.destroy())
  session.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy())
    if (headers[':method'] !== 'CONNECT') {
      stream.respond({ ':status': 405 }, { endStream: true })
      return
    }
    stream.respond({ ':status': 200 })
    accept(stream)
  })
  return session
}
