import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type SecureClientSessionOptions } from 'node:http2'
import type { Cancel, Clock } from '@continuo/core'
import { TransportError, type TransportRequest, type TransportResponse } from './transport.ts'
import { aborted, lost, notProcessed, unreachable } from './unreachable.ts'

/** TLS of one connection, as PEM. */
export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
}

export interface ConnectionOptions {
  readonly origin: string
  readonly clock: Clock
  readonly connectTimeoutMs: number
  /** Time between two pings. */
  readonly keepAliveMs: number
  /** Time in which a ping must come back. */
  readonly pingTimeoutMs: number
}

/** What each stream, and the connection as a whole, may send before it is read. A watch that nobody reads holds no more than this. */
const streamWindow = 512 * 1024
const connectionWindow = 16 * 1024 * 1024
/** Time that requests have to end on a connection of which the server takes leave. */
const drainMs = 60_000
/** Streams that share one connection, if the server allows as many. */
const maxStreams = 500

/** One HTTP/2 connection. It pings the server, and dies when an answer to that does not come in time. */
export class Http2Connection {
  readonly #session: ClientHttp2Session
  readonly #options: ConnectionOptions
  #active = 0
  #answered = false
  /** Streams above this one have surely not been looked at. */
  #lastProcessed = Number.POSITIVE_INFINITY
  #death: TransportError | undefined
  #cancelPing: Cancel = () => {}

  private constructor(session: ClientHttp2Session, options: ConnectionOptions) {
    this.#session = session
    this.#options = options
    session.on('goaway', (_code, lastStream) => {
      this.#lastProcessed = Math.min(this.#lastProcessed, lastStream)
      // What is under way may end; pings are not sent any more, so a watch could otherwise hang on it for ever.
      this.#cancelPing()
      this.#cancelPing = options.clock.after(drainMs, () => this.destroy(lost(options.origin)))
    })
    session.on('error', (cause) => {
      this.#death ??= lost(options.origin, cause)
    })
    session.once('close', () => this.#cancelPing())
    session.unref()
    this.#schedulePing()
  }

  /** Throws `CLIENT_UNREACHABLE`. */
  static open(options: ConnectionOptions, tls: TlsMaterial): Promise<Http2Connection> {
    const { origin, clock, connectTimeoutMs } = options
    return new Promise((resolve, reject) => {
      let session: ClientHttp2Session
      try {
        session = connect(origin, sessionOptions(tls))
      } catch (cause) {
        return reject(unreachable(origin, cause))
      }
      const fail = (cause?: unknown): void => {
        cancel()
        session.destroy()
        reject(unreachable(origin, cause))
      }
      const cancel = clock.after(connectTimeoutMs, () =>
        fail({ code: 'ETIMEDOUT', message: `no connection within ${connectTimeoutMs} ms` }),
      )
      session.on('error', () => {})
      session.once('error', fail)
      session.once('close', fail)
      session.once('connect', () => {
        cancel()
        session.off('close', fail)
        session.setLocalWindowSize(connectionWindow)
        const connection = new Http2Connection(session, options)
        session.off('error', fail)
        resolve(connection)
      })
    })
  }

  /** True while new requests may be sent on it. */
  get usable(): boolean {
    return !this.#isOver && !this.wentAway
  }

  /** Each of the two may be true without the other. */
  get #isOver(): boolean {
    return this.#session.closed || this.#session.destroyed
  }

  get hasRoom(): boolean {
    return this.#active < Math.min(this.#session.remoteSettings?.maxConcurrentStreams ?? 100, maxStreams)
  }

  get wentAway(): boolean {
    return this.#lastProcessed !== Number.POSITIVE_INFINITY
  }

  /** At least one answer came over it. */
  get answered(): boolean {
    return this.#answered
  }

  onClose(listener: () => void): void {
    this.#session.once('close', listener)
  }

  /** The server takes leave: what is under way may end, and nothing more may be sent. */
  onGoAway(listener: () => void): void {
    this.#session.once('goaway', listener)
  }

  /** Throws {@link TransportError}. */
  send(request: TransportRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      if (request.signal.aborted) return reject(aborted())
      let stream: ClientHttp2Stream
      try {
        const headers = { ':method': request.method, ':path': request.path, ...request.headers } as Record<string, string | string[]>
        stream = this.#session.request(headers, { endStream: request.body === undefined })
      } catch (cause) {
        return reject(notProcessed(this.#options.origin, cause))
      }
      this.#enter()
      let cause: unknown
      const abort = (): void => {
        stream.close(constants.NGHTTP2_CANCEL)
        stream.destroy()
      }
      request.signal.addEventListener('abort', abort, { once: true })
      stream.on('error', (error) => {
        cause = error
      })
      stream.once('response', (headers) => {
        this.#answered = true
        resolve({
          status: Number(headers[':status']),
          headers,
          body: stream,
          complete: () => stream.rstCode === constants.NGHTTP2_NO_ERROR,
        })
      })
      // Without effect once there was a response; the reader of the body finds out by itself.
      stream.once('close', () => {
        request.signal.removeEventListener('abort', abort)
        this.#leave()
        reject(request.signal.aborted ? aborted() : this.#why(stream, cause))
      })
      if (request.body !== undefined) stream.end(request.body)
    })
  }

  /** Gives the connection up at once, with everything on it. */
  destroy(reason: TransportError): void {
    this.#death ??= reason
    this.#session.destroy(new TransportError(reason.code, reason.message), constants.NGHTTP2_NO_ERROR)
  }

  #why(stream: ClientHttp2Stream, cause: unknown): TransportError {
    const { origin } = this.#options
    const unseen = stream.id === undefined || stream.id > this.#lastProcessed || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
    if (unseen) return notProcessed(origin, cause)
    return lost(origin, this.#death ?? cause)
  }

  /** A connection without requests must not keep the process alive. */
  #enter(): void {
    this.#active += 1
    if (this.#active === 1) this.#session.ref()
  }

  #leave(): void {
    this.#active -= 1
    if (this.#active === 0 && !this.#session.destroyed) this.#session.unref()
  }

  #schedulePing(): void {
    const { clock, keepAliveMs, pingTimeoutMs, origin } = this.#options
    if (this.#isOver) return
    this.#cancelPing = clock.after(keepAliveMs, () => {
      if (this.#isOver) return
      const cancel = clock.after(pingTimeoutMs, () =>
        this.destroy(
          new TransportError(
            'CLIENT_CONNECTION_LOST',
            `the API at ${origin} does not answer: no reply to a ping within ${pingTimeoutMs} ms`,
          ),
        ),
      )
      this.#cancelPing = cancel
      this.#session.ping((error) => {
        cancel()
        if (error === null) this.#schedulePing()
      })
    })
  }
}

const sessionOptions = (tls: TlsMaterial): SecureClientSessionOptions => ({
  ...tls,
  minVersion: 'TLSv1.2',
  rejectUnauthorized: true,
  settings: { enablePush: false, initialWindowSize: streamWindow },
  maxSessionMemory: 256,
})
