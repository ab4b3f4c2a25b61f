import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@continuo/core'

export interface TcpSessionOptions {
  readonly clock: Clock
  /** Without a question for so long the connection ends. Milliseconds. */
  readonly idleMs: number
  readonly respond: (message: Buffer) => Buffer | undefined | Promise<Buffer | undefined>
  /** Whether one more question of this client is answered; otherwise the connection ends. */
  readonly admit: () => boolean
}

/** Questions of one connection that are answered at once; more wait in the kernel. */
const mostUnderWay = 64

/** One client's connection (RFC 7766): questions behind each other, answers as they come. */
export class TcpSession {
  readonly #socket: Socket
  readonly #options: TcpSessionOptions
  #rest: Buffer = Buffer.alloc(0)
  #underWay = 0
  #cancelIdle: Cancel = () => {}

  constructor(socket: Socket, options: TcpSessionOptions) {
    this.#socket = socket
    this.#options = options
  }

  start(): void {
    this.#socket.on('data', (chunk) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      this.#read()
    })
    this.#socket.on('drain', () => this.#read())
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#cancelIdle())
    this.#waitForMore()
  }

  #waitForMore(): void {
    this.#cancelIdle()
    this.#cancelIdle = this.#options.clock.after(this.#options.idleMs, () => this.#socket.destroy())
  }

  #read(): void {
    while (!this.#full && this.#rest.length >= 2) {
      const end = 2 + this.#rest.readUInt16BE(0)
      if (this.#rest.length < end) break
      const message = this.#rest.subarray(2, end)
      this.#rest = this.#rest.subarray(end)
      this.#waitForMore()
      if (!this.#options.admit()) return void this.#socket.destroy()
      void this.#answer(message)
    }
    if (this.#full) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  get #full(): boolean {
    return this.#underWay >= mostUnderWay || this.#socket.writableNeedDrain
  }

  async #answer(message: Buffer): Promise<void> {
    this.#underWay++
    const answer = await this.#options.respond(message)
    this.#underWay--
    if (this.#socket.destroyed) return
    if (answer === undefined) return void this.#socket.destroy()
    const framed = Buffer.allocUnsafe(answer.length + 2)
    framed.writeUInt16BE(answer.length)
    answer.copy(framed, 2)
    this.#socket.write(framed)
    this.#read()
  }
}
