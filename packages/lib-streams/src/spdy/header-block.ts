import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import { StreamError } from '../stream-error.ts'
import { headerDictionary } from './dictionary.ts'

export type SpdyHeaders = Readonly<Record<string, string>>

/** Longest header block after decompression; what inflates to more is refused before it is kept. */
export const maxHeaderBlock = 65_536

/** Names are lower case; several values of one name are separated by NUL. */
export function encodeHeaders(headers: SpdyHeaders): Buffer {
  const parts: Buffer[] = []
  const number = (value: number): void => {
    const bytes = Buffer.allocUnsafe(4)
    bytes.writeUInt32BE(value)
    parts.push(bytes)
  }
  const text = (value: string): void => {
    const bytes = Buffer.from(value)
    number(bytes.length)
    parts.push(bytes)
  }
  number(Object.keys(headers).length)
  for (const [name, value] of Object.entries(headers)) {
    text(name.toLowerCase())
    text(value)
  }
  return Buffer.concat(parts)
}

/** Parses a decompressed block. Throws `STREAM_PROTOCOL` when lengths do not fit. */
export function decodeHeaders(block: Buffer): SpdyHeaders {
  let at = 0
  const number = (): number => {
    if (at + 4 > block.length) throw new StreamError('STREAM_PROTOCOL', 'a SPDY header block ends too early')
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = (): string => {
    const length = number()
    if (at + length > block.length) throw new StreamError('STREAM_PROTOCOL', 'a SPDY header block ends too early')
    at += length
    return block.toString('utf8', at - length, at)
  }
  const headers: Record<string, string> = Object.create(null)
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase()
    headers[name] = text().split('\0')[0] ?? ''
  }
  return headers
}

/** One direction of a connection's header compression. Blocks share one context, so they are worked on in order. */
abstract class HeaderStream<Z extends Deflate | Inflate> {
  protected readonly zlib: Z
  #output: Buffer[] = []
  #bytes = 0
  #failure: unknown
  #turn: Promise<unknown> = Promise.resolve()

  constructor(zlib: Z) {
    this.zlib = zlib
    zlib.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      if (this.#bytes > 2 * maxHeaderBlock)
        zlib.destroy(new StreamError('STREAM_PROTOCOL', `a SPDY header block exceeds ${maxHeaderBlock} bytes`))
      else this.#output.push(chunk)
    })
    zlib.on('error', (error) => {
      this.#failure = error
    })
  }

  close(): void {
    this.zlib.destroy()
  }

  protected process(block: Buffer): Promise<Buffer> {
    const turn = this.#turn.then(() => this.#run(block))
    this.#turn = turn.catch(() => {})
    return turn
  }

  #run(block: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown): void =>
        reject(
          cause instanceof StreamError
            ? cause
            : new StreamError('STREAM_PROTOCOL', 'a SPDY header block cannot be decompressed', { cause }),
        )
      if (this.#failure !== undefined || this.zlib.destroyed) return failed(this.#failure)
      this.#output = []
      this.#bytes = 0
      const closed = (): void => failed(this.#failure)
      this.zlib.once('close', closed)
      this.zlib.write(block, (error) => {
        this.zlib.off('close', closed)
        if (error || this.#failure !== undefined) failed(this.#failure ?? error)
        else resolve(Buffer.concat(this.#output))
      })
    })
  }
}

export class HeaderCompressor extends HeaderStream<Deflate> {
  constructor() {
    super(createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH }))
  }

  compress(headers: SpdyHeaders): Promise<Buffer> {
    return this.process(encodeHeaders(headers))
  }
}

export class HeaderDecompressor extends HeaderStream<Inflate> {
  constructor() {
    super(createInflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH }))
  }

  async decompress(block: Buffer): Promise<SpdyHeaders> {
    const plain = await this.process(block)
    if (plain.length > maxHeaderBlock) throw new StreamError('STREAM_PROTOCOL', `a SPDY header block exceeds ${maxHeaderBlock} bytes`)
    return decodeHeaders(plain)
  }
}
