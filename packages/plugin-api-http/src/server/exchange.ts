import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2'

export type Request = IncomingMessage | Http2ServerRequest
import type { FlowPlace } from '@continuo/workload'

/** What the responses of both versions of HTTP have in common. */
export interface Response {
  readonly statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly writableLength: number
  /** HTTP/1.1 only. */
  readonly destroyed?: boolean
  /** HTTP/2 only. */
  readonly stream?: ServerHttp2Stream
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown
  flushHeaders(): void
  writeContinue(): void
  write(chunk: Uint8Array | string, written?: (error?: Error | null) => void): boolean
  end(chunk?: Uint8Array | string): unknown
  destroy(error?: Error): unknown
  on(event: 'error' | 'close' | 'drain', listener: (error?: Error) => void): this
  once(event: 'close' | 'drain', listener: () => void): this
  off(event: 'close' | 'drain', listener: () => void): this
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
  readonly request: Request
  readonly response: Response
  readonly isHttp2: boolean
  readonly method: string
  /** The path as it came, without the query. */
  readonly rawPath: string
  /** Undefined when the URL has none. */
  readonly query: URLSearchParams | undefined
  /** The client asked for permission to send its body; it is given when the body is read. */
  readonly expectsContinue: boolean
  bodyWasRead = false
  /** Where requests take turns: its seat, once it has one. */
  place: FlowPlace | undefined
  #warnings: string[] | undefined
  #abort: AbortController | undefined

  constructor(request: Request, response: Response, expectsContinue = false) {
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    this.request = request
    this.response = response
    this.isHttp2 = request.httpVersionMajor >= 2
    this.method = request.method ?? 'GET'
    this.rawPath = mark < 0 ? url : url.slice(0, mark)
    this.query = mark < 0 || mark === url.length - 1 ? undefined : new URLSearchParams(url.slice(mark + 1))
    this.expectsContinue = expectsContinue
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return typeof value === 'string' ? value : value?.[0]
  }

  /** A client that goes away in the middle is no error of this process. HTTP/2 streams tell it to nobody. */
  ignoreBrokenConnection(): void {
    if (this.isHttp2) return
    ;(this.request as IncomingMessage).on('error', ignore)
    this.response.on('error', ignore)
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
    const { response } = this
    return response.writableEnded || response.destroyed === true || response.stream?.destroyed === true
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
    const length = this.request.headers['content-length']
    if (length !== undefined) return length !== '0'
    if (this.isHttp2) return !(this.request as Http2ServerRequest).stream.endAfterHeaders
    return this.request.headers['transfer-encoding'] !== undefined
  }
}
