import { Readable, Writable } from 'node:stream'
import type { WebSocket } from 'ws'

/** Bytes of one channel that wait for their reader before the connection is no longer read. */
const channelBuffer = 262_144

/** Longest message that we send. */
const maxSend = 32_768

const closeChannel = 255

const noData = Buffer.alloc(0)

/** How messages carry a channel's number and data: as bytes, or as text for clients that cannot send bytes. */
export type ChannelEncoding = 'binary' | 'base64'

/**
 * Numbered channels over one WebSocket: each message begins with its channel. With `closes` a message on channel 255 names a
 * channel that the client will send nothing more on.
 */
export class ChannelSocket {
  readonly #webSocket: WebSocket
  readonly #encoding: ChannelEncoding
  readonly #readers = new Map<number, (data: Buffer | undefined) => void>()
  readonly #abort = new AbortController()
  readonly #behind = new Set<number>()

  constructor(webSocket: WebSocket, encoding: ChannelEncoding, closes: boolean) {
    this.#webSocket = webSocket
    this.#encoding = encoding
    webSocket.on('message', (message: Buffer) => this.#take(message, closes))
    webSocket.on('error', () => webSocket.terminate())
    webSocket.on('close', () => {
      this.#abort.abort()
      for (const reader of this.#readers.values()) reader(undefined)
    })
  }

  get closed(): AbortSignal {
    return this.#abort.signal
  }

  /** What the client sends on a channel. */
  readable(channel: number): Readable {
    const stream = new Readable({
      highWaterMark: channelBuffer,
      read: () => {
        this.#behind.delete(channel)
        if (this.#behind.size === 0 && this.#webSocket.isPaused) this.#webSocket.resume()
      },
    })
    let ended = false
    this.listen(channel, (data) => {
      if (ended || stream.destroyed) return
      if (data === undefined) {
        ended = true
        stream.push(null)
      } else if (!stream.push(data)) {
        this.#behind.add(channel)
        this.#webSocket.pause()
      }
    })
    return stream
  }

  /** Calls back with each message of a channel, and with undefined when no more will come. */
  listen(channel: number, reader: (data: Buffer | undefined) => void): void {
    this.#readers.set(channel, reader)
  }

  /** What we send on a channel. */
  writable(channel: number): Writable {
    return new Writable({
      highWaterMark: 65_536,
      write: (chunk: Buffer, _encoding, done) => {
        for (let at = 0; at < chunk.length; at += maxSend) {
          const last = at + maxSend >= chunk.length
          this.send(channel, chunk.subarray(at, at + maxSend), last ? done : undefined)
        }
        if (chunk.length === 0) done()
      },
    })
  }

  send(channel: number, data: Uint8Array, done?: (error?: Error) => void): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) {
      done?.()
      return
    }
    const message =
      this.#encoding === 'base64'
        ? String.fromCharCode(0x30 + channel) + Buffer.from(data).toString('base64')
        : Buffer.concat([Buffer.of(channel), data])
    // A client that has gone is told by `closed`, not by an error of whoever writes.
    this.#webSocket.send(message, { binary: this.#encoding === 'binary' }, () => done?.())
  }

  /** Closes after what was sent; resolves when the client has answered. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#abort.signal.aborted) return resolve()
      this.#abort.signal.addEventListener('abort', () => resolve())
      if (this.#webSocket.isPaused) this.#webSocket.resume()
      this.#webSocket.close(1000)
    })
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  #take(message: Buffer, closes: boolean): void {
    const first = message[0]
    if (first === undefined) return
    const channel = this.#encoding === 'base64' ? first - 0x30 : first
    if (closes && channel === closeChannel) this.#readers.get(message[1] ?? -1)?.(undefined)
    else
      this.#readers.get(channel)?.(this.#encoding === 'base64' ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1))
  }
}

/** An empty message, which tells the client that a channel is there. */
export const announce = (socket: ChannelSocket, channel: number): void => socket.send(channel, noData)
