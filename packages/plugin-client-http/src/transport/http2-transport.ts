import type { Random } from '@continuo/core'
import { Backoff } from './backoff.ts'
import { type ConnectionOptions, Http2Connection, type TlsMaterial } from './http2-connection.ts'
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from './transport.ts'
import { aborted, closed } from './unreachable.ts'

export interface Http2TransportOptions extends ConnectionOptions {
  readonly random: Random
  /** Requests in flight at a time; one more is `CLIENT_BUSY`. */
  readonly maxInFlight: number
  /** Asked before each connection, so that renewed certificates are used. */
  tls(): Promise<TlsMaterial>
}

/** Connections that are opened when the server allows too few streams on one. */
const maxConnections = 8

/**
 * HTTP/2 over as few connections as the server's limit of streams allows, which is one nearly always.
 * A lost connection is made anew with the next request; while that fails, attempts are spaced out and shared by all who wait.
 */
export class Http2Transport implements Transport {
  readonly #options: Http2TransportOptions
  readonly #backoff: Backoff
  readonly #closing = new AbortController()
  readonly #connections = new Set<Http2Connection>()
  /** The origin that answered last, and where else the same API is. */
  #origins: readonly string[]
  #connecting: Promise<unknown> | undefined
  #inFlight = 0
  #problem: TransportError | undefined

  constructor(options: Http2TransportOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.clock, options.random)
    this.#origins = [options.origin]
  }

  get problem(): TransportError | undefined {
    return this.#problem
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const { origin, maxInFlight } = this.#options
    if (this.#inFlight >= maxInFlight) {
      throw new TransportError('CLIENT_BUSY', `${maxInFlight} requests to the API at ${origin} are in flight already`, {
        hint: 'raise `maxInFlight`, or do less at a time',
      })
    }
    this.#inFlight += 1
    const leave = (): void => {
      this.#inFlight -= 1
    }
    try {
      const connection = await this.#connection(request.signal)
      const response = await connection.send(request)
      this.#backoff.succeeded()
      response.body.once('close', leave)
      return response
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Where the same API answers as well: for connections that cannot be made to the origin that answered last. */
  follow(origins: readonly string[]): void {
    const [current = this.#options.origin] = this.#origins
    this.#origins = [...new Set([current, this.#options.origin, ...origins])]
  }

  close(): void {
    const { origin } = this.#options
    this.#closing.abort()
    for (const connection of this.#connections) connection.destroy(closed(origin))
  }

  /** A connection with room for one more request. */
  async #connection(signal: AbortSignal): Promise<Http2Connection> {
    for (;;) {
      if (this.#closing.signal.aborted) throw closed(this.#options.origin)
      if (signal.aborted) throw aborted()
      const usable = [...this.#connections].filter((connection) => connection.usable)
      const free = usable.find((connection) => connection.hasRoom)
      if (free !== undefined) return free
      if (usable.length >= maxConnections) {
        throw new TransportError('CLIENT_BUSY', `the API at ${this.#options.origin} allows no more requests at a time`)
      }
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined
      })
      await abortable(this.#connecting, signal)
    }
  }

  async #connect(): Promise<void> {
    const { clock, tls, origin } = this.#options
    const { delay } = this.#backoff
    if (delay > 0) {
      await clock.sleep(delay, this.#closing.signal).catch(() => {
        throw closed(origin)
      })
    }
    try {
      const connection = await this.#openAny(await tls())
      if (this.#closing.signal.aborted) return connection.destroy(closed(origin))
      this.#problem = undefined
      this.#connections.add(connection)
      // One that ends before it was of any use must not be replaced in a tight loop.
      const judge = (): void => {
        if (!connection.answered) this.#backoff.failed()
      }
      connection.onGoAway(judge)
      connection.onClose(() => {
        this.#connections.delete(connection)
        if (!connection.wentAway) judge()
      })
    } catch (error) {
      this.#backoff.failed()
      this.#problem = error as TransportError
      throw error
    }
  }

  /** The first origin that answers, beginning with the one that did last. Throws what kept it from the first. */
  async #openAny(material: TlsMaterial): Promise<Http2Connection> {
    let problem: unknown
    for (const origin of this.#origins) {
      if (this.#closing.signal.aborted) break
      try {
        const connection = await Http2Connection.open({ ...this.#options, origin }, material)
        this.#origins = [...new Set([origin, ...this.#origins])]
        return connection
      } catch (error) {
        problem ??= error
      }
    }
    throw problem ?? closed(this.#options.origin)
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(aborted())
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
