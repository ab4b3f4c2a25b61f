import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { ContinuoError, systemClock } from '@continuo/core'
import type { ProxyEndpoint } from '@continuo/workload'

/** Backends and clients of one check; all are closed with it. */
export class Sockets {
  readonly #closers: (() => void)[] = []
  readonly #ip: string

  /** @param ip Where backends listen. */
  constructor(ip: string) {
    this.#ip = ip
  }

  /** A TCP backend that answers each connection with its name, then with everything that it is sent, until the client ends. */
  async backend(name: string, more: Partial<ProxyEndpoint> = {}): Promise<ProxyEndpoint> {
    const open = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.on('error', () => {})
      socket.write(`${name}\n`)
      socket.pipe(socket)
    })
    server.listen(0, this.#ip)
    await once(server, 'listening')
    this.#closers.push(() => {
      server.close()
      for (const socket of open) socket.destroy()
    })
    return endpointAt((server.address() as AddressInfo).port, { ip: this.#ip, ...more })
  }

  /** A UDP backend that answers each datagram with its name and the datagram. */
  async udpBackend(name: string): Promise<ProxyEndpoint> {
    const socket = createSocket('udp4')
    socket.on('message', (message, from) => socket.send(`${name} ${message}`, from.port, from.address))
    socket.bind(0, this.#ip)
    await once(socket, 'listening')
    this.#closers.push(() => socket.close())
    return endpointAt(socket.address().port, { ip: this.#ip })
  }

  /** A connection whose first line has been read. */
  async connect(ip: string, port: number): Promise<{ readonly socket: Socket; readonly name: string }> {
    const socket = connect({ host: ip, port, noDelay: true })
    this.#closers.push(() => socket.destroy())
    const name = await firstLine(socket)
    return { socket, name }
  }

  /** Sends a datagram and resolves with the answer; undefined when none comes. Each client keeps its port. */
  async udpClient(ip: string, port: number): Promise<(message: string) => Promise<string | undefined>> {
    const socket = createSocket('udp4')
    this.#closers.push(() => socket.close())
    socket.on('error', () => {})
    return async (message) => {
      const answer = once(socket, 'message').then(([data]) => String(data))
      socket.send(message, port, ip)
      return Promise.race([answer, systemClock.sleep(300).then(() => undefined)])
    }
  }

  /** Keeps a port for itself. */
  async occupy(ip: string, port: number): Promise<() => Promise<void>> {
    const server = createServer().listen(port, ip)
    await once(server, 'listening')
    const release = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
    this.#closers.push(() => server.close())
    return release
  }

  close(): void {
    for (const close of this.#closers.splice(0).reverse())
      try {
        close()
      } catch {
        // Closed already by its check.
      }
  }
}

export const endpointAt = (port: number, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ip: '127.0.0.1',
  port,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
})

/** The name of the backend that answers one connection. Rejects when the connection is refused, reset or says nothing. */
export async function ask(ip: string, port: number): Promise<string> {
  const socket = connect({ host: ip, port, noDelay: true })
  try {
    const name = firstLine(socket)
    socket.end()
    return await name
  } finally {
    socket.destroy()
  }
}

/** Sends bytes with an end and resolves with everything that comes back. */
export async function echo(ip: string, port: number, payload: string): Promise<string> {
  const socket = connect({ host: ip, port, allowHalfOpen: true })
  socket.end(payload)
  return text(socket)
}

async function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = ''
    const stop = systemClock.after(3_000, () => reject(new ContinuoError('CHECK_FAILED', 'no backend answered within 3 s')))
    const fail = (error: Error): void => {
      stop()
      reject(error)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(new ContinuoError('CHECK_FAILED', 'the connection was closed before a backend answered')))
    socket.on('data', function read(chunk) {
      line += chunk
      if (!line.includes('\n')) return
      stop()
      socket.off('data', read)
      resolve(line.slice(0, line.indexOf('\n')))
    })
  })
}
