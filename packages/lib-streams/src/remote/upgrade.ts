import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { StreamError } from '../stream-error.ts'

/** Loaded with the first upgrade: a process that only watches never needs it. */
const loadWs = (): typeof import('ws') => createRequire(import.meta.url)('ws')

/** Largest WebSocket message that is taken, as in Kubernetes: kubectl sends 32 KB at once, libraries whatever their caller wrote. */
const maxMessage = 32 << 20

const listed = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '')

/** What a request wants to become; undefined for one that wants no upgrade that we know. */
export function upgradeKind(request: Pick<IncomingMessage, 'headers'>): 'websocket' | 'spdy' | undefined {
  const upgrades = listed(request.headers.upgrade).map((value) => value.toLowerCase())
  if (!listed(request.headers.connection).some((value) => value.toLowerCase() === 'upgrade')) return undefined
  if (upgrades.includes('websocket')) return 'websocket'
  return upgrades.includes('spdy/3.1') ? 'spdy' : undefined
}

/** Answers a request that cannot be upgraded, and closes. `reason` must be plain text. */
export function refuseUpgrade(socket: Duplex, code: number, reason: string): void {
  const names: Readonly<Record<number, string>> = { 400: 'Bad Request', 403: 'Forbidden' }
  const body = `${reason}\n`
  socket.end(
    `HTTP/1.1 ${code} ${names[code] ?? 'Error'}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** Picks the client's first choice that we speak. */
export const chooseProtocol = (offered: readonly string[], known: readonly string[]): string | undefined =>
  offered.find((protocol) => known.includes(protocol))

/**
 * Upgrades to SPDY/3.1 with one of the subprotocols in `X-Stream-Protocol-Version`; `withoutHeader` is what a client speaks that
 * names none. Refuses with 403 and throws `STREAM_NO_PROTOCOL` when there is none in common.
 */
export function acceptSpdyUpgrade(request: IncomingMessage, socket: Duplex, known: readonly string[], withoutHeader: string): string {
  const offered = listed(request.headers['x-stream-protocol-version'])
  const protocol = offered.length === 0 ? withoutHeader : chooseProtocol(offered, known)
  if (protocol === undefined) {
    const reason = `unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`
    refuseUpgrade(socket, 403, reason)
    throw new StreamError('STREAM_NO_PROTOCOL', reason)
  }
  const chosen = offered.length === 0 ? '' : `X-Stream-Protocol-Version: ${protocol}\r\n`
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${chosen}\r\n`)
  return protocol
}

/** Upgrades to a WebSocket with one of the known subprotocols; `withoutHeader` is what a client speaks that names none. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  known: readonly string[],
  withoutHeader: string,
): Promise<{ readonly webSocket: WebSocket; readonly protocol: string }> {
  const offered = listed(request.headers['sec-websocket-protocol'])
  const protocol = offered.length === 0 ? withoutHeader : chooseProtocol(offered, known)
  if (protocol === undefined) {
    const reason = `unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`
    refuseUpgrade(socket, 400, reason)
    return Promise.reject(new StreamError('STREAM_NO_PROTOCOL', reason))
  }
  const { WebSocketServer } = loadWs()
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxMessage,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  })
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new StreamError('STREAM_RESET', 'the client left during the upgrade'))
    socket.once('close', closed)
    server.once('wsClientError', (cause) => {
      refuseUpgrade(socket, 400, cause.message)
      reject(new StreamError('STREAM_NO_PROTOCOL', `the WebSocket handshake failed: ${cause.message}`, { cause }))
    })
    server.handleUpgrade(withPlainProtocol(request), socket, head, (webSocket) => {
      socket.off('close', closed)
      resolve({ webSocket, protocol })
    })
  })
}

/** `SPDY/3.1+portforward.k8s.io` is no token of RFC 9110, so `ws` would refuse the header; what it answers with is our choice alone. */
function withPlainProtocol(request: IncomingMessage): IncomingMessage {
  if (request.headers['sec-websocket-protocol'] === undefined) return request
  const headers = { ...request.headers, 'sec-websocket-protocol': 'negotiated' }
  return Object.create(request, { headers: { value: headers } }) as IncomingMessage
}
