import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Clock, ContinuoError } from '@continuo/core'
import { Exchange } from './exchange.ts'

export interface TlsMaterial {
  readonly certificate: string
  readonly privateKey: string
  /** PEM of the authorities whose client certificates count. */
  readonly clientAuthority: string
}

export interface ListenerOptions {
  readonly host: string
  readonly port: number
  /** Absent: plain HTTP/1.1, for tests and for a loopback behind something else. */
  readonly tls?: TlsMaterial
  readonly maxHeaderBytes: number
  readonly maxConnections: number
  readonly clock: Clock
  onRequest(exchange: Exchange): void
  /** An HTTP/1.1 request that asks for another protocol. */
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Time for a client to finish its request's headers, and its TLS handshake. */
const headersTimeoutMs = 15_000
const maxStreamsPerSession = 1_000

/** One port that serves HTTP/2 and HTTP/1.1 with upgrades. */
export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Http2SecureServer | HttpServer
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(options: ListenerOptions) {
    this.#options = options
    const limits = { maxHeaderSize: options.maxHeaderBytes, headersTimeout: headersTimeoutMs, requestTimeout: 0, keepAliveTimeout: 120_000 }
    this.#server =
      options.tls === undefined
        ? createHttpServer(limits)
        : createSecureServer({
            allowHTTP1: true,
            cert: options.tls.certificate,
            key: options.tls.privateKey,
            ca: options.tls.clientAuthority,
            requestCert: true,
            // Who has no valid certificate may still bear a token; authentication decides.
            rejectUnauthorized: false,
            minVersion: 'TLSv1.2',
            handshakeTimeout: headersTimeoutMs,
            settings: {
              maxConcurrentStreams: maxStreamsPerSession,
              maxHeaderListSize: options.maxHeaderBytes,
              initialWindowSize: 256 * 1024,
            },
            maxSessionInvalidFrames: 100,
            maxSessionRejectedStreams: 100,
            streamResetBurst: 1_000,
            streamResetRate: 100,
            ...limits,
          })
    this.#server.maxConnections = options.maxConnections
    this.#wire()
  }

  #wire(): void {
    const { onRequest, onUpgrade } = this.#options
    const server = this.#server as HttpServer
    const onConnection = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      socket.once('close', () => this.#sockets.delete(socket))
    }
    server.on('connection', onConnection)
    // Without it the listener below would also make Node wrap each HTTP/2 stream in objects of HTTP/1.1's style.
    server.removeAllListeners('newListener')
    ;(this.#server as Http2SecureServer).on('stream', (stream, headers) => onRequest(Exchange.overHttp2(stream, headers)))
    server.on('request', (request, response) => onRequest(Exchange.overHttp1(request, response)))
    server.on('checkContinue', (request, response) => onRequest(Exchange.overHttp1(request, response, true)))
    server.on('upgrade', (request, socket, head) => onUpgrade(request, socket, head))
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
      const status =
        error.code === 'HPE_HEADER_OVERFLOW'
          ? '431 Request Header Fields Too Large'
          : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
            ? '408 Request Timeout'
            : '400 Bad Request'
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    })
    server.on('tlsClientError', (_error: Error, socket: Socket) => void socket.destroy())
    ;(this.#server as Http2SecureServer).on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
    })
  }

  /** Throws `API_LISTEN` when the port is taken or may not be used. Returns the port. */
  listen(): Promise<number> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (cause: NodeJS.ErrnoException): void => {
        const hint =
          cause.code === 'EADDRINUSE'
            ? 'another process listens there: stop it, or choose another port with `listen`'
            : cause.code === 'EACCES'
              ? 'choose a port above 1023 with `listen`'
              : 'check the address in `listen`'
        reject(new ContinuoError('API_LISTEN', `the API cannot listen on ${host}:${port}: ${cause.message}`, { hint, cause }))
      }
      this.#server.once('error', fail)
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off('error', fail)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** Replaces the server's certificate for new connections. */
  renew(tls: TlsMaterial): void {
    if ('setSecureContext' in this.#server)
      this.#server.setSecureContext({ cert: tls.certificate, key: tls.privateKey, ca: tls.clientAuthority })
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Takes no new connection, lets answers end for as long as `graceMs`, then cuts what is left. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const session of this.#sessions) session.close()
    ;(this.#server as HttpServer).closeIdleConnections?.()
    const cancel = this.#options.clock.after(graceMs, () => {
      for (const socket of this.#sockets) socket.destroy()
    })
    await closed
    cancel()
    for (const socket of this.#sockets) socket.destroy()
  }
}
