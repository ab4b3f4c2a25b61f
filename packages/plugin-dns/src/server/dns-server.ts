import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { type Clock, ContinuoError } from '@continuo/core'
import type { UpstreamAddress } from '../forward/upstream.ts'
import { SourceLimiter } from './source-limiter.ts'
import { TcpSession } from './tcp-session.ts'

export interface DnsServerOptions {
  readonly clock: Clock
  readonly respond: (message: Buffer, transport: 'udp' | 'tcp') => Buffer | undefined | Promise<Buffer | undefined>
  /** Questions a second of one source; 0 for no bound. */
  readonly perSourceRate: number
  /** Open connections; further ones are closed at once. */
  readonly mostConnections: number
  readonly idleMs: number
  /** Called for each question that is not answered because there were too many: for a metric. */
  readonly dropped: (why: 'rate' | 'busy') => void
}

const mostSources = 8_192
/** Answers that the kernel has not taken yet; beyond them datagrams are dropped, as they may be. */
const mostQueuedBytes = 4 * 1024 * 1024
/** Answers over UDP that are waited for. */
const mostWaiting = 4_096
const receiveBytes = 1024 * 1024
const portTries = 20

/** Listens for questions, over UDP and TCP on the same port. */
export class DnsServer {
  readonly #options: DnsServerOptions
  readonly #limiter: SourceLimiter
  readonly #sockets: Socket[] = []
  readonly #servers: Server[] = []
  readonly #connections = new Set<TcpSocket>()
  #waiting = 0

  constructor(options: DnsServerOptions) {
    this.#options = options
    this.#limiter = new SourceLimiter(options.perSourceRate, mostSources)
  }

  /** Listens on one address more; port 0 takes a free one, which it returns. Throws `DNS_LISTEN`. */
  async listen(address: UpstreamAddress): Promise<number> {
    for (let tries = 1; ; tries++) {
      const udp = await this.#bindUdp(address)
      const { port } = udp.address()
      try {
        this.#servers.push(await this.#bindTcp({ ...address, port }))
        this.#sockets.push(udp)
        return port
      } catch (error) {
        udp.close()
        // A port that is free for one protocol need not be for the other.
        if (address.port !== 0 || tries === portTries) throw error
      }
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.close()
    const closed = this.#servers.splice(0).map((server) => once(server.close(), 'close'))
    for (const connection of this.#connections) connection.destroy()
    await Promise.all(closed)
  }

  async #bindUdp({ host, port }: UpstreamAddress): Promise<Socket> {
    const socket = host.includes(':') ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4')
    try {
      socket.bind({ address: host, port, exclusive: true })
      await once(socket, 'listening')
    } catch (error) {
      socket.close()
      throw refusal(host, port, error)
    }
    socket.on('error', () => {})
    socket.setRecvBufferSize(receiveBytes)
    socket.on('message', (message, from) => this.#datagram(socket, message, from))
    return socket
  }

  async #bindTcp({ host, port }: UpstreamAddress): Promise<Server> {
    const server = createServer((socket) => this.#connection(socket))
    server.listen({ host, port, exclusive: true, ipv6Only: host.includes(':') })
    try {
      await once(server, 'listening')
    } catch (error) {
      throw refusal(host, port, error)
    }
    server.on('error', () => {})
    return server
  }

  #datagram(socket: Socket, message: Buffer, from: RemoteInfo): void {
    const { clock, respond, dropped } = this.#options
    // Nobody asks from port 0; to answer there is an error.
    if (from.port === 0) return
    if (!this.#limiter.admit(from.address, clock.monotonic())) {
      dropped('rate')
      return
    }
    if (this.#waiting >= mostWaiting) {
      dropped('busy')
      return
    }
    const answer = respond(message, 'udp')
    if (!(answer instanceof Promise)) {
      this.#send(socket, answer, from)
      return
    }
    this.#waiting++
    void answer.then((later) => {
      this.#waiting--
      if (this.#sockets.includes(socket)) this.#send(socket, later, from)
    })
  }

  #send(socket: Socket, answer: Buffer | undefined, from: RemoteInfo): void {
    if (answer === undefined) return
    if (socket.getSendQueueSize() > mostQueuedBytes) this.#options.dropped('busy')
    else socket.send(answer, from.port, from.address, () => {})
  }

  #connection(socket: TcpSocket): void {
    const { clock, idleMs, respond, mostConnections, dropped } = this.#options
    if (this.#connections.size >= mostConnections) {
      dropped('busy')
      return void socket.destroy()
    }
    this.#connections.add(socket)
    socket.once('close', () => this.#connections.delete(socket))
    const source = socket.remoteAddress ?? ''
    const admit = (): boolean => {
      const admitted = this.#limiter.admit(source, clock.monotonic())
      if (!admitted) dropped('rate')
      return admitted
    }
    new TcpSession(socket, { clock, idleMs, admit, respond: (message) => respond(message, 'tcp') }).start()
  }
}

function refusal(host: string, port: number, error: unknown): ContinuoError {
  const code = (error as { code?: string }).code
  return new ContinuoError('DNS_LISTEN', `cannot answer DNS on ${host} port ${port}: ${error instanceof Error ? error.message : error}`, {
    cause: error,
    hint:
      code === 'EACCES'
        ? 'ports below 1024 need root, CAP_NET_BIND_SERVICE or net.ipv4.ip_unprivileged_port_start; or take another port'
        : code === 'EADDRINUSE'
          ? 'another program has the port: end it, or listen on another address'
          : 'listen on an address of this machine',
  })
}
