// Clients with a certificate over HTTP/2 and HTTP/1.1: requests in a closed loop, and watches whose bytes are counted.

import { type ClientHttp2Session, connect } from 'node:http2'
import { Agent, request } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export interface Access {
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export type HttpVersion = 'HTTP/2' | 'HTTP/1.1'

/** A request that is no GET. */
export interface Write {
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly contentType: string
  readonly body: Uint8Array
}

/** Sends requests until `stop`, and resolves with the number of answers. */
export interface Load extends Disposable {
  /** One request, whole. */
  once(path: string): Promise<Buffer>
  /** Keeps `connections × streams` requests in flight for so long; resolves with the number of answers. */
  run(path: string, milliseconds: number, write?: Write): Promise<number>
}

export const openLoad = (access: Access, version: HttpVersion, connections: number, streams: number): Promise<Load> =>
  version === 'HTTP/2' ? http2Load(access, connections, streams) : http1Load(access, connections * streams)

async function closedLoop(workers: number, milliseconds: number, send: (worker: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + milliseconds
  let answers = 0
  const work = async (worker: number): Promise<void> => {
    while (performance.now() < end) {
      await send(worker)
      answers++
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  return answers
}

async function http2Load(access: Access, connections: number, streams: number): Promise<Load> {
  const sessions = await Promise.all(Array.from({ length: connections }, () => openSession(access)))
  const send = (session: ClientHttp2Session, path: string, write?: Write, keep?: Buffer[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':path': path,
        ...(write === undefined ? {} : { ':method': write.method, 'content-type': write.contentType, 'content-length': write.body.length }),
      })
      if (write !== undefined) stream.end(write.body)
      stream.on('data', (chunk: Buffer) => keep?.push(chunk))
      stream.on('end', resolve).on('error', reject)
      stream.on('response', (headers) => headers[':status'] === 200 || reject(new Error(`${path}: ${headers[':status']}`)))
    })
  return {
    once: async (path) => {
      const parts: Buffer[] = []
      await send(sessions[0] as ClientHttp2Session, path, undefined, parts)
      return Buffer.concat(parts)
    },
    run: (path, milliseconds, write) =>
      closedLoop(connections * streams, milliseconds, (worker) => send(sessions[worker % connections] as ClientHttp2Session, path, write)),
    [Symbol.dispose]: () => {
      for (const session of sessions) session.destroy()
    },
  }
}

const openSession = (access: Access): Promise<ClientHttp2Session> =>
  new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${access.port}`, { ...access, settings: { initialWindowSize: 8 << 20 } })
    session.once('connect', () => {
      session.setLocalWindowSize(32 << 20)
      resolve(session)
    })
    session.once('error', reject)
  })

async function http1Load(access: Access, connections: number): Promise<Load> {
  const agent = new Agent({ ...access, keepAlive: true, maxSockets: connections })
  const send = (path: string, write?: Write, keep?: Buffer[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = write === undefined ? {} : { 'content-type': write.contentType, 'content-length': write.body.length }
      const sent = request({ agent, host: '127.0.0.1', port: access.port, path, method: write?.method ?? 'GET', headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`))
        answer.on('data', (chunk: Buffer) => keep?.push(chunk))
        answer.on('end', resolve)
      })
      sent.on('error', reject)
      sent.end(write?.body)
    })
  return {
    once: async (path) => {
      const parts: Buffer[] = []
      await send(path, undefined, parts)
      return Buffer.concat(parts)
    },
    run: (path, milliseconds, write) => closedLoop(connections, milliseconds, () => send(path, write)),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Open watches; `bytes` counts what came on all of them, with the framing of HTTP/1.1. */
export interface Watchers extends Disposable {
  readonly bytes: number
  /** Resolves when nothing more came for a while. */
  settled(): Promise<void>
}

/** Opens `connections × streams` watches; `path` says what each asks for. */
export async function openWatchers(
  access: Access,
  version: HttpVersion,
  connections: number,
  streams: number,
  path: (watcher: number) => string,
): Promise<Watchers> {
  let bytes = 0
  const close: (() => void)[] = []
  const count = (chunk: Buffer): void => {
    bytes += chunk.length
  }
  for (let from = 0; from < connections; from += 50) {
    const batch = Array.from({ length: Math.min(50, connections - from) }, (_, i) => from + i)
    await Promise.all(
      batch.map(async (connection) => {
        if (version === 'HTTP/1.1') {
          const socket = await openSocket(access, path(connection))
          socket.on('data', count)
          close.push(() => socket.destroy())
          return
        }
        const session = await openSession(access)
        close.push(() => session.destroy())
        for (let i = 0; i < streams; i++) {
          const stream = session.request({ ':path': path(connection * streams + i) })
          stream.on('data', count)
          stream.on('error', () => {})
          await new Promise<void>((resolve, reject) =>
            stream.once('response', (headers) =>
              headers[':status'] === 200 ? resolve() : reject(new Error(`watch: ${headers[':status']}`)),
            ),
          )
        }
      }),
    )
  }
  const settled = async (): Promise<void> => {
    for (let seen = -1; seen !== bytes; ) {
      seen = bytes
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
  }
  return {
    get bytes() {
      return bytes
    },
    settled,
    [Symbol.dispose]: () => {
      for (const one of close) one()
    },
  }
}

const openSocket = (access: Access, path: string): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ ...access, host: '127.0.0.1', ALPNProtocols: ['http/1.1'] })
    socket.once('error', reject)
    socket.once('secureConnect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`))
    socket.once('data', (head: Buffer) => {
      if (head.toString('latin1').startsWith('HTTP/1.1 200 ')) resolve(socket)
      else reject(new Error(`watch: ${head.toString('latin1').split('\r\n', 1)[0]}`))
    })
  })
