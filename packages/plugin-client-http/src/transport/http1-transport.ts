import { Agent, type ClientRequest, request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Random } from '@continuo/core'
import { Backoff } from './backoff.ts'
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from './transport.ts'
import { aborted, closed, lost, unreachable } from './unreachable.ts'

export interface Http1TransportOptions {
  readonly origin: string
  readonly clock: Clock
  readonly random: Random
  readonly connectTimeoutMs: number
  readonly keepAliveMs: number
  /** Requests in flight at a time, each on a connection of its own; one more is `CLIENT_BUSY`. */
  readonly maxInFlight: number
}

/** Connections without a request that are kept for the next one. */
const maxIdle = 16

/** Plain HTTP/1.1, for an API on the loopback of the same machine. Connections are kept and used again. */
export class Http1Transport implements Transport {
  readonly #options: Http1TransportOptions
  readonly #agent: Agent
  readonly #backoff: Backoff
  readonly #closing = new AbortController()
  readonly #open = new Set<ClientRequest>()
  #problem: TransportError | undefined

  constructor(options: Http1TransportOptions) {
    this.#options = options
    this.#agent = new Agent({ keepAlive: true, keepAliveMsecs: options.keepAliveMs, maxFreeSockets: maxIdle })
    this.#backoff = new Backoff(options.clock, options.random)
  }

  get problem(): TransportError | undefined {
    return this.#problem
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const { origin, maxInFlight, clock } = this.#options
    if (this.#open.size >= maxInFlight) {
      throw new TransportError('CLIENT_BUSY', `${maxInFlight} requests to the API at ${origin} are in flight already`, {
        hint: 'raise `maxInFlight`, or do less at a time',
      })
    }
    if (this.#backoff.delay > 0) {
      const either = AbortSignal.any([request.signal, this.#closing.signal])
      await clock.sleep(this.#backoff.delay, either).catch(() => {})
    }
    if (this.#closing.signal.aborted) throw closed(origin)
    if (request.signal.aborted) throw aborted()
    return this.#exchange(request)
  }

  close(): void {
    this.#closing.abort()
    for (const request of this.#open) request.destroy()
    this.#agent.destroy()
  }

  #exchange(request: TransportRequest): Promise<TransportResponse> {
    const { origin, clock, connectTimeoutMs } = this.#options
    const { hostname, port } = new URL(origin)
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: port === '' ? 80 : Number(port),
        method: request.method,
        path: request.path,
        agent: this.#agent,
        headers: {
          ...request.headers,
          ...(request.body === undefined ? {} : { 'content-length': request.body.length }),
        } as OutgoingHttpHeaders,
      })
      this.#open.add(outgoing)
      let connected = false
      let cause: unknown
      const cancel = clock.after(connectTimeoutMs, () => {
        if (connected) return
        cause = { code: 'ETIMEDOUT', message: `no connection within ${connectTimeoutMs} ms` }
        outgoing.destroy()
      })
      const abort = (): void => void outgoing.destroy()
      request.signal.addEventListener('abort', abort, { once: true })
      outgoing.once('socket', (socket: Socket) => {
        if (!socket.connecting) connected = true
        else socket.once('connect', () => (connected = true))
      })
      outgoing.once('response', (incoming) => {
        this.#backoff.succeeded()
        this.#problem = undefined
        incoming.on('error', () => {})
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming, complete: () => incoming.complete })
      })
      outgoing.on('error', (error) => {
        cause ??= error
      })
      // Without effect once there was a response.
      outgoing.once('close', () => {
        cancel()
        request.signal.removeEventListener('abort', abort)
        this.#open.delete(outgoing)
        reject(this.#why(request, connected, cause))
      })
      outgoing.end(request.body)
    })
  }

  #why(request: TransportRequest, connected: boolean, cause: unknown): TransportError {
    const { origin } = this.#options
    if (this.#closing.signal.aborted) return closed(origin)
    if (request.signal.aborted) return aborted()
    if (connected) return lost(origin, cause)
    this.#backoff.failed()
    this.#problem = unreachable(origin, cause)
    return this.#problem
  }
}
