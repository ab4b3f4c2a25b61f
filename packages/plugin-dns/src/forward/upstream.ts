import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { type Clock, ContinuoError, type Random } from '@continuo/core'
import { flags, headerBytes } from '../wire/protocol.ts'
import { lowerCase } from '../wire/read-query.ts'
import { walkMessage } from '../wire/walk-message.ts'

export interface UpstreamAddress {
  readonly host: string
  readonly port: number
}

export interface UpstreamOptions {
  readonly address: UpstreamAddress
  readonly clock: Clock
  readonly random: Random
  /** For one try over UDP or TCP. Milliseconds. */
  readonly timeoutMs: number
}

const mostStrays = 64

/** One name server that others' names are asked of. Each exchange has a socket of its own: a new port for whoever would guess. */
export class Upstream {
  readonly address: UpstreamAddress
  readonly #options: UpstreamOptions
  #failures = 0

  constructor(options: UpstreamOptions) {
    this.#options = options
    this.address = options.address
  }

  get text(): string {
    const { host, port } = this.address
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  /** Two failures in a row; one answer ends it. */
  get failing(): boolean {
    return this.#failures >= 2
  }

  /**
   * Asks; an answer that was cut is asked for again over TCP. The message's id is replaced by a random one.
   * Throws `DNS_UPSTREAM` when nothing useful comes in time.
   */
  async ask(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    try {
      const own = Buffer.from(message)
      const [high = 0, low = 0] = this.#options.random.bytes(2)
      own.writeUInt16BE((high << 8) | low, 0)
      const answer = await this.#overUdp(own, signal)
      const whole = (answer.readUInt16BE(2) & flags.truncated) === 0 ? answer : await this.#overTcp(own, signal)
      this.#failures = 0
      return whole
    } catch (error) {
      if (!signal.aborted) this.#failures++
      throw error
    }
  }

  #overUdp(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    return this.#exchange(signal, (resolve, reject) => {
      const { host, port } = this.address
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
      let strays = 0
      socket.on('error', reject)
      socket.on('message', (answer) => {
        if (answers(answer, message)) resolve(answer)
        else if (++strays > mostStrays) reject(new ContinuoError('DNS_UPSTREAM', `${this.text} sends answers that nobody asked for`))
      })
      // Connected: the kernel takes datagrams from that server alone.
      socket.connect(port, host, () => socket.send(message))
      return () => socket.close()
    })
  }

  #overTcp(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    return this.#exchange(signal, (resolve, reject) => {
      const { host, port } = this.address
      const socket = connect({ host, port })
      let got: Buffer = Buffer.alloc(0)
      socket.on('error', reject)
      socket.on('close', () => reject(new ContinuoError('DNS_UPSTREAM', `${this.text} ended the connection`)))
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk])
        if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return
        const answer = got.subarray(2, 2 + got.readUInt16BE(0))
        if (answers(answer, message)) resolve(answer)
        else reject(new ContinuoError('DNS_UPSTREAM', `${this.text} answers another question`))
      })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      socket.write(Buffer.concat([length, message]))
      return () => socket.destroy()
    })
  }

  /** Runs an exchange until it ends, its time is up, or nobody waits any more; what it holds is let go of in each case. */
  #exchange(
    signal: AbortSignal,
    begin: (resolve: (answer: Buffer) => void, reject: (error: unknown) => void) => () => void,
  ): Promise<Buffer> {
    const { clock, timeoutMs } = this.#options
    return new Promise<Buffer>((resolve, reject) => {
      let ended = false
      const end = (settle: () => void): void => {
        if (ended) return
        ended = true
        cancel()
        signal.removeEventListener('abort', abort)
        release?.()
        settle()
      }
      const fail = (error: unknown): void => end(() => reject(error))
      const abort = (): void => fail(signal.reason)
      const cancel = clock.after(timeoutMs, () =>
        fail(new ContinuoError('DNS_UPSTREAM', `${this.text} does not answer within ${timeoutMs} ms`)),
      )
      let release: (() => void) | undefined
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      const made = begin((answer) => end(() => resolve(answer)), fail)
      if (ended) made()
      else release = made
    })
  }
}

/** Whether a message is an answer to the very question of another one. */
function answers(answer: Buffer, query: Buffer): boolean {
  if (answer.length < headerBytes || answer.readUInt16BE(0) !== query.readUInt16BE(0) || (answer[2] as number) < 0x80) return false
  const asked = walkMessage(query)
  const told = walkMessage(answer)
  if (asked === undefined || told === undefined) return false
  return lowerCase(answer.subarray(headerBytes, told.questionEnd)).equals(lowerCase(query.subarray(headerBytes, asked.questionEnd)))
}
