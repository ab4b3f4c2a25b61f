import { constants, type ServerHttp2Stream } from 'node:http2'
import type { RawHeaders, Response } from './exchange.ts'

const { NGHTTP2_NO_ERROR } = constants

/** The answer on one HTTP/2 stream, in the words of HTTP/1.1's. */
export class Http2Response implements Response {
  readonly #stream: ServerHttp2Stream
  statusCode = 200

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  get headersSent(): boolean {
    return this.#stream.headersSent
  }

  /** Node.js ends the stream of a HEAD request before its headers are sent: it has no body, but it has an answer. */
  get writableEnded(): boolean {
    const stream: ServerHttp2Stream & { readonly headRequest?: boolean } = this.#stream
    return stream.headRequest === true ? stream.headersSent : stream.writableEnded
  }

  get writableLength(): number {
    return this.#stream.writableLength
  }

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  /** Sends them at once. Does nothing when the client has gone. */
  writeHead(status: number, headers: RawHeaders): void {
    this.statusCode = status
    if (this.destroyed) return
    // Takes a flat list since 24.7; the types do not say so yet.
    this.#stream.respond([':status', String(status), ...headers] as never)
  }

  flushHeaders(): void {}

  writeContinue(): void {
    if (!this.destroyed) this.#stream.additionalHeaders({ ':status': 100 })
  }

  write(chunk: Uint8Array | string, written?: (error?: Error | null) => void): boolean {
    return this.#stream.write(chunk, written)
  }

  end(chunk?: Uint8Array | string): void {
    const stream = this.#stream
    if (chunk === undefined) stream.end()
    else stream.end(chunk)
    // Nobody will read the rest of the request: the client need not send it (RFC 9113, 8.1).
    if (!stream.endAfterHeaders && !stream.readableEnded && !stream.closed) stream.close(NGHTTP2_NO_ERROR)
  }

  destroy(error?: Error): void {
    this.#stream.destroy(error)
  }

  on(event: 'error' | 'close' | 'drain', listener: (error?: Error) => void): this {
    this.#stream.on(event, listener)
    return this
  }

  once(event: 'close' | 'drain', listener: () => void): this {
    this.#stream.once(event, listener)
    return this
  }

  off(event: 'close' | 'drain', listener: () => void): this {
    this.#stream.off(event, listener)
    return this
  }
}
