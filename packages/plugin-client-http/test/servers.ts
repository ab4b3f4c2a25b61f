import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { createAuthority, issueCertificate, type KeyPair } from '@continuo/lib-certificates'
import { onTestFinished } from 'vitest'
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../src/index.ts'

let made: Promise<{ readonly authority: KeyPair; readonly server: KeyPair; readonly client: KeyPair }> | undefined

/** Certificates for 127.0.0.1, made once for all tests of a file. */
export function certificates() {
  made ??= (async () => {
    const common = { now: Date.now(), validDays: 1 }
    const authority = await createAuthority({ ...common, commonName: 'test' })
    const server = await issueCertificate(authority, { ...common, usage: 'server', subject: { commonName: 'api' }, names: ['127.0.0.1'] })
    const client = await issueCertificate(authority, { ...common, usage: 'client', subject: { commonName: 'me', organizations: ['us'] } })
    return { authority, server, client }
  })()
  return made
}

/** What a server was asked. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  body: string
}

export interface Http2Server {
  readonly url: string
  readonly ca: string
  readonly seen: readonly Seen[]
  readonly sessions: ReadonlySet<ServerHttp2Session>
  readonly sockets: ReadonlySet<Socket>
  /** Connections that were made so far. */
  readonly connections: number
  /** Streams that are open now. */
  readonly open: number
  onSession(listener: (session: ServerHttp2Session) => void): void
  stop(): Promise<void>
  connect(options?: Partial<HttpClientOptions>): Promise<HttpClient>
}

export interface Exchange {
  readonly stream: ServerHttp2Stream
  readonly seen: Seen
  /** How many requests came before this one. */
  readonly index: number
  json(value: unknown, status?: number, headers?: Readonly<Record<string, string>>): void
}

/** An HTTP/2 server that answers as a test says, once a request's body has come. It stops with the test. */
export async function http2Server(
  answer: (exchange: Exchange) => void,
  settings: { readonly port?: number; readonly maxConcurrentStreams?: number } = {},
): Promise<Http2Server> {
  const { authority, server: pair } = await certificates()
  const seen: Seen[] = []
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  let connections = 0
  let open = 0
  const { maxConcurrentStreams, port = 0 } = settings
  const server = createSecureServer({
    cert: pair.certificate,
    key: pair.privateKey,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
    ...(maxConcurrentStreams === undefined ? {} : { settings: { maxConcurrentStreams } }),
  })
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    const one: Seen = { method: String(headers[':method']), path: String(headers[':path']), headers, body: '' }
    const index = seen.length
    seen.push(one)
    open += 1
    stream.on('close', () => {
      open -= 1
    })
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => {
      one.body += chunk.toString('utf8')
    })
    stream.on('end', () =>
      answer({
        stream,
        seen: one,
        index,
        json(value, status = 200, more = {}) {
          stream.respond({ ':status': status, 'content-type': 'application/json', ...more })
          stream.end(JSON.stringify(value))
        },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const clients: HttpClient[] = []
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async (): Promise<void> => {
    for (const session of sessions) session.destroy()
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(async () => {
    for (const client of clients) await client.close()
    await stop()
  })
  return {
    url,
    ca: authority.certificate,
    seen,
    sessions,
    sockets,
    get connections() {
      return connections
    },
    get open() {
      return open
    },
    onSession: (listener) => void server.on('session', listener),
    stop,
    async connect(options = {}) {
      const client = await createHttpClient({ server: url, ca: authority.certificate, ...options })
      clients.push(client)
      return client
    },
  }
}

/** A plain HTTP/1.1 server and a client of it. Both stop with the test. */
export async function http1Server(
  answer: (request: IncomingMessage, response: ServerResponse, index: number) => void,
  options: Partial<HttpClientOptions> = {},
) {
  let count = 0
  const server = createHttp1((request, response) => {
    request.resume()
    answer(request, response, count++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = await createHttpClient({ server: url, ...options })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url,
    client,
    get count() {
      return count
    },
  }
}
