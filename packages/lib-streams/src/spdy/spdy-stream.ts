import { Duplex } from 'node:stream'
import { StreamError } from '../stream-error.ts'
import type { SpdyHeaders } from './header-block.ts'

/** What a stream asks of its connection. */
export interface SpdyStreamLink {
  sendData(streamId: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void
  reset(streamId: number): void
  /** The reader took data: reading of the connection may go on. */
  drained(streamId: number): void
  closed(streamId: number): void
}

/** Bytes of one stream that wait for their reader before the whole connection is no longer read. */
export const streamBuffer = 262_144

/** One stream of a SPDY connection. Ending the writable side half-closes it; destroying it resets the stream. */
export class SpdyStream extends Duplex {
  readonly id: number
  readonly headers: SpdyHeaders
  readonly #link: SpdyStreamLink
  #remoteEnded = false
  #reset = false

  constructor(id: number, headers: SpdyHeaders, link: SpdyStreamLink) {
    super({ allowHalfOpen: true, readableHighWaterMark: streamBuffer, writableHighWaterMark: 65_536, emitClose: true })
    this.id = id
    this.headers = headers
    this.#link = link
    // A stream that fails before anybody listens, or after, must not bring the process down.
    this.on('error', () => {})
  }

  /** Called by the connection. Returns false when the reader is behind. */
  receive(data: Buffer, fin: boolean): boolean {
    if (this.#remoteEnded || this.destroyed) return true
    const room = data.length === 0 || this.push(data)
    if (fin) {
      this.#remoteEnded = true
      this.push(null)
    }
    return room || fin
  }

  /** Called by the connection when the peer reset the stream or is gone. What had arrived in full can still be read. */
  abandon(reason: string): void {
    this.#reset = true
    if (!this.#remoteEnded) this.destroy(new StreamError('STREAM_RESET', reason))
    else if (this.readableEnded) this.destroy()
    else this.end()
  }

  override _read(): void {
    this.#link.drained(this.id)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#reset) done(new StreamError('STREAM_RESET', 'the peer takes no more data on this stream'))
    else this.#link.sendData(this.id, chunk, false, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#reset) done()
    else this.#link.sendData(this.id, Buffer.alloc(0), true, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#reset && !(this.#remoteEnded && this.writableFinished)) this.#link.reset(this.id)
    this.#link.closed(this.id)
    this.#link.drained(this.id)
    done(error)
  }
}
