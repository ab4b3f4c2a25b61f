import type { Duplex } from 'node:stream'
import { StreamError } from '../stream-error.ts'
import { type ControlFrame, encodeControl, encodeDataHeader, encodeWords, flagFin, frameType, resetStatus, SpdyParser } from './frames.ts'
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './header-block.ts'
import { SpdyStream, type SpdyStreamLink } from './spdy-stream.ts'

export interface SpdyConnectionOptions {
  readonly role: 'server' | 'client'
  /** Called for each stream that the peer opens, after it was answered. Without it they are refused. */
  onStream?(stream: SpdyStream): void
  /** Streams at once; a further one is refused. Default 1024. */
  readonly maxStreams?: number
}

/** Longest data frame that we send. */
const maxData = 32_768

/** How much a reader must have taken before the peer is told by WINDOW_UPDATE. */
const windowStep = 32_768

const statusNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(resetStatus).map(([name, code]) => [code, name]))

/**
 * SPDY/3.1 over any duplex, as Go's spdystream speaks it: that peer ignores windows and grants none, so we never wait for
 * windows; back-pressure is that a connection is not read while a stream's buffer is full. We do grant windows, for peers that heed them.
 */
export class SpdyConnection implements SpdyStreamLink {
  readonly #transport: Duplex
  readonly #options: SpdyConnectionOptions
  readonly #streams = new Map<number, SpdyStream>()
  readonly #compressor = new HeaderCompressor()
  readonly #decompressor = new HeaderDecompressor()
  readonly #abort = new AbortController()
  /** Streams whose readers are behind, with what continues the reading of the connection. */
  readonly #behind = new Map<number, () => void>()
  readonly #taken = new Map<number, number>()
  readonly #peerIsOdd: boolean
  #lastPeerId = 0
  #nextId: number
  #finishing = false
  /** Resolves when the connection has ended, in whatever way. */
  readonly finished: Promise<void>

  constructor(transport: Duplex, options: SpdyConnectionOptions) {
    this.#transport = transport
    this.#options = options
    this.#peerIsOdd = options.role === 'server'
    this.#nextId = options.role === 'server' ? 2 : 1
    this.finished = this.#run()
  }

  /** Aborts when the connection ends. */
  get closedSignal(): AbortSignal {
    return this.#abort.signal
  }

  /** Opens a stream and resolves when the frame that opens it has been written. */
  async open(headers: SpdyHeaders): Promise<SpdyStream> {
    const id = this.#nextId
    this.#nextId += 2
    const stream = new SpdyStream(id, headers, this)
    this.#streams.set(id, stream)
    const block = await this.#compressor.compress(headers)
    this.#write(encodeControl(frameType.synStream, 0, Buffer.concat([encodeWords(id, 0), Buffer.from([0, 0]), block])))
    return stream
  }

  /** Says goodbye after all that was written, and reads on, without effect, until the peer has closed: what it still sends must not cut off what it has yet to read. */
  finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    for (const stream of this.#streams.values()) stream.abandon('the connection is closing')
    this.#write(encodeControl(frameType.goAway, 0, encodeWords(this.#lastPeerId, 0)))
    this.#transport.end()
    for (const go of this.#behind.values()) go()
  }

  destroy(): void {
    this.#transport.destroy()
  }

  sendData(streamId: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    let at = 0
    do {
      const piece = data.subarray(at, at + maxData)
      at += piece.length
      const last = at >= data.length
      this.#write(encodeDataHeader(streamId, fin && last ? flagFin : 0, piece.length))
      if (last) this.#transport.write(piece, done)
      else this.#transport.write(piece)
    } while (at < data.length)
  }

  reset(streamId: number): void {
    this.#write(encodeControl(frameType.rstStream, 0, encodeWords(streamId, resetStatus.cancel)))
  }

  drained(streamId: number): void {
    const taken = this.#taken.get(streamId) ?? 0
    if (taken >= windowStep) {
      this.#taken.set(streamId, 0)
      this.#write(encodeControl(frameType.windowUpdate, 0, encodeWords(streamId, taken)))
    }
    this.#behind.get(streamId)?.()
    this.#behind.delete(streamId)
  }

  closed(streamId: number): void {
    this.#streams.delete(streamId)
    this.#taken.delete(streamId)
  }

  #write(frame: Buffer): void {
    if (!this.#transport.destroyed && !this.#transport.writableEnded) this.#transport.write(frame)
  }

  async #run(): Promise<void> {
    const parser = new SpdyParser()
    // We may have been called from within the transport's own delivery of the request; a `duplexPair` that is read there stalls for ever.
    await Promise.resolve()
    try {
      for await (const chunk of this.#transport as AsyncIterable<Buffer>) {
        if (this.#finishing) continue
        for (const frame of parser.push(chunk)) {
          if (frame.kind === 'control') await this.#control(frame)
          else await this.#data(frame.streamId, frame.data, frame.fin)
        }
      }
    } catch (error) {
      if (error instanceof StreamError) this.#write(encodeControl(frameType.goAway, 0, encodeWords(this.#lastPeerId, 1)))
    } finally {
      this.#transport.end()
      this.#transport.destroy()
      this.#compressor.close()
      this.#decompressor.close()
      this.#abort.abort()
      for (const stream of [...this.#streams.values()]) stream.abandon('the connection was closed')
    }
  }

  async #data(streamId: number, data: Buffer, fin: boolean): Promise<void> {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    this.#taken.set(streamId, (this.#taken.get(streamId) ?? 0) + data.length)
    // The piece is a view on the chunk that was read; the stream may keep it.
    if (stream.receive(data, fin) || stream.destroyed) return
    await new Promise<void>((resolve) => this.#behind.set(streamId, resolve))
  }

  async #control({ type, flags, payload }: ControlFrame): Promise<void> {
    const word = (index: number): number => (payload.length >= 4 * index + 4 ? payload.readUInt32BE(4 * index) & 0x7fff_ffff : 0)
    if (type === frameType.synStream) await this.#opened(word(0), flags, payload)
    else if (type === frameType.synReply || type === frameType.headers) {
      await this.#decompressor.decompress(payload.subarray(4))
      if ((flags & flagFin) !== 0) this.#streams.get(word(0))?.receive(Buffer.alloc(0), true)
    } else if (type === frameType.rstStream)
      this.#streams.get(word(0))?.abandon(`the peer reset the stream (${statusNames[word(1)] ?? word(1)})`)
    else if (type === frameType.ping && (word(0) % 2 === 1) === this.#peerIsOdd)
      this.#write(encodeControl(frameType.ping, 0, encodeWords(word(0))))
    // SETTINGS, WINDOW_UPDATE, GOAWAY and unknown types ask nothing of us.
  }

  async #opened(id: number, flags: number, payload: Buffer): Promise<void> {
    if (payload.length < 10) throw new StreamError('STREAM_PROTOCOL', 'a SYN_STREAM frame is too short')
    // Headers are decompressed in any case: both ends must keep the same context.
    const headers = await this.#decompressor.decompress(payload.subarray(10))
    if ((id % 2 === 1) !== this.#peerIsOdd || id <= this.#lastPeerId)
      throw new StreamError('STREAM_PROTOCOL', `the peer may not open stream ${id}`)
    this.#lastPeerId = id
    if (this.#options.onStream === undefined || this.#streams.size >= (this.#options.maxStreams ?? 1024)) {
      this.#write(encodeControl(frameType.rstStream, 0, encodeWords(id, resetStatus.refusedStream)))
      return
    }
    const stream = new SpdyStream(id, headers, this)
    this.#streams.set(id, stream)
    const block = await this.#compressor.compress({})
    this.#write(encodeControl(frameType.synReply, 0, Buffer.concat([encodeWords(id), block])))
    if ((flags & flagFin) !== 0) stream.receive(Buffer.alloc(0), true)
    this.#options.onStream(stream)
  }
}
