import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import { Http2Response } from './http2-response.ts'

/** Names and values in turn: what both versions of HTTP write without looking at each header again. */
export type RawHeaders = readonly string[]

import type { AuditTrail, FlowPlace } from '@continuo/workload'

/** What the responses of both versions of HTTP have in common. */
export interface Response {
  readonly statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly writableLength: number
  readonly destroyed: boolean
  writeHead(status: number, headers: RawHeaders): unknown
  flushHeaders(): void
  writeContinue(): void
  write(chunk: Uint8Array | string, written?: (error?: Error | null) => void): boolean
  end(chunk?: Uint8Array | string): unknown
  destroy(error?: Error): unknown
  on(event: 'error' | 'close' | 'drain', listener: (error?: Error) => void): unknown
  once(event: 'close' | 'drain', listener: () => void): Response
  off(event: 'close' | 'drain', listener: () => void): Response
}

interface ExchangeParts {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The request's body. */
  readonly incoming: Readable
  /** Where the answer's body goes; for pipes, all else goes through `response`. */
  readonly outgoing: Writable
  readonly response: Response
  /** Undefined over HTTP/1.1. */
  readonly stream?: ServerHttp2Stream
  readonly expectsContinue: boolean
}

const maxWarnings = 64
const maxWarningBytes = 4_096

/** Text as a header may carry it: quoted, and without what HTTP does not allow there. */
const quoteWarning = (text: string): string => {
  let clean = ''
  for (const character of text) {
    const code = character.codePointAt(0) as number
    clean += code < 0x20 || code > 0x7e ? (code > 0x7e ? '?' : ' ') : character === '"' || character === '\\' ? `\\${character}` : character
  }
  return `299 - "${clean}"`
}

const ignore = (): void => {}
/** Made once: its stack says nothing, and costs as much as a small answer. */
const wentAway = new DOMException('the client went away', 'AbortError')

/** One request with its answer, over either version of HTTP. Made for each request, so it makes little until asked. */
export class Exchange {
  readonly method: string
  /** The path as it came, without the query. */
  readonly rawPath: string
  /** Path and query, as they came. */
  readonly url: string
  /** Undefined when the URL has none. */
  readonly query: URLSearchParams | undefined
  readonly headers: IncomingHttpHeaders
  readonly incoming: Readable
  readonly outgoing: Writable
  readonly response: Response
  /** The client asked for permission to send its body; it is given when the body is read. */
  readonly expectsContinue: boolean
  bodyWasRead = false
  /** Where requests take turns: its seat, once it has one. */
  place: FlowPlace | undefined
  /** Where an audit log is kept and wants to know of this request, once the sender is known. */
  audit: AuditTrail | undefined
  readonly #stream: ServerHttp2Stream | undefined
  #warnings: string[] | undefined
  #abort: AbortController | undefined

  private constructor(parts: ExchangeParts) {
    const { url } = parts
    const mark = url.indexOf('?')
    this.method = parts.method
    this.url = url
    this.rawPath = mark < 0 ? url : url.slice(0, mark)
    this.query = mark < 0 || mark === url.length - 1 ? undefined : new URLSearchParams(url.slice(mark + 1))
    this.headers = parts.headers
    this.incoming = parts.incoming
    this.outgoing = parts.outgoing
    this.response = parts.response
    this.expectsContinue = parts.expectsContinue
    this.#stream = parts.stream
  }

  /** A client that goes away in the middle is no error of this process. */
  static overHttp1(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Exchange {
    request.on('error', ignore)
    response.on('error', ignore)
    return new Exchange({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      incoming: request,
      outgoing: response,
      response: response as unknown as Response,
      expectsContinue,
    })
  }

  /** Nothing is answered through it: who takes the upgrade writes to the socket. */
  static ofUpgrade(request: IncomingMessage, socket: Duplex): Exchange {
    return new Exchange({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      incoming: request,
      outgoing: socket,
      response: upgradeResponse(socket),
      expectsContinue: false,
    })
  }

  /** On the stream itself: Node's objects in the style of HTTP/1.1 cost as much as the whole rest of a small answer. */
  static overHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Exchange {
    stream.on('error', ignore)
    return new Exchange({
      method: (headers[':method'] as string | undefined) ?? 'GET',
      url: (headers[':path'] as string | undefined) ?? '/',
      headers,
      incoming: stream,
      outgoing: stream,
      response: new Http2Response(stream),
      stream,
      expectsContinue: headers.expect === '100-continue',
    })
  }

  get isHttp2(): boolean {
    return this.#stream !== undefined
  }

  /** The connection: its TLS socket, or the HTTP/2 session on it. Many requests share one. */
  get connection(): object {
    return this.#stream?.session ?? (this.incoming as IncomingMessage).socket
  }

  get socket(): Socket | undefined {
    return this.#stream === undefined ? (this.incoming as IncomingMessage).socket : this.#stream.session?.socket
  }

  header(name: string): string | undefined {
    const value = this.headers[name]
    return typeof value === 'string' ? value : value?.[0]
  }

  /** Aborts when the client goes away before its answer is whole. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController()
      this.#abort = abort
      if (this.isGone) abort.abort(wentAway)
      else
        this.response.once('close', () => {
          if (!this.response.writableEnded) abort.abort(wentAway)
        })
    }
    return this.#abort.signal
  }

  /** The client went away, or everything was sent. */
  get isGone(): boolean {
    return this.response.writableEnded || this.response.destroyed
  }

  /** Adds a `Warning` header; each text once, and no more than a bounded number. */
  warn(text: string): void {
    this.#warnings ??= []
    const header = quoteWarning(text)
    const size = this.#warnings.reduce((sum, one) => sum + one.length, header.length)
    if (this.#warnings.length < maxWarnings && size <= maxWarningBytes && !this.#warnings.includes(header)) this.#warnings.push(header)
  }

  get warnings(): readonly string[] | undefined {
    return this.#warnings
  }

  /** True when the request announces a body. */
  get hasBody(): boolean {
    const length = this.headers['content-length']
    if (length !== undefined) return length !== '0'
    if (this.#stream !== undefined) return !this.#stream.endAfterHeaders
    return this.headers['transfer-encoding'] !== undefined
  }
}

/** An upgrade has no response object; the gate only looks whether the client is still there. */
const upgradeResponse = (socket: Duplex): Response =>
  ({
    get destroyed() {
      return socket.destroyed
    },
    writableEnded: false,
    once: (event: 'close', listener: () => void) => socket.once(event, listener),
  }) as unknown as Response
