import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createAuthority, issueCertificate, type KeyPair } from '@continuo/lib-certificates'

/** A request as it came to the extension server. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Common name of a client certificate that the front proxy's authority signed. */
  readonly client: string | undefined
}

/** A small server of the group `ext.example.com`, as an aggregated API server is one: over TLS, and it believes the front proxy alone. */
export interface ExtensionServer {
  readonly port: number
  /** Base64 of the PEM of its authority. */
  readonly caBundle: string
  readonly seen: readonly SeenRequest[]
  stop(): Promise<void>
}

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'ext.example.com/v1',
  resources: [
    {
      name: 'flunders',
      singularName: 'flunder',
      namespaced: true,
      kind: 'Flunder',
      verbs: ['create', 'get', 'list', 'watch'],
      shortNames: ['fl'],
    },
    { name: 'flunders/shell', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['create', 'get'] },
  ],
}

const flunder = (name: string) => ({
  apiVersion: 'ext.example.com/v1',
  kind: 'Flunder',
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
})

const openApiV2 = {
  swagger: '2.0',
  info: { title: 'ext', version: '1' },
  paths: { '/apis/ext.example.com/v1/flunders': { get: { responses: {} } }, '/apis/apps/v1/deployments': { get: { 'x-stolen': true } } },
  definitions: {
    'com.example.ext.v1.Flunder': {
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group: 'ext.example.com', version: 'v1', kind: 'Flunder' }],
    },
  },
}

const clientOf = (request: IncomingMessage): string | undefined => {
  const socket = request.socket as TLSSocket
  const name = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined
  return Array.isArray(name) ? name[0] : name
}

/** Starts one on a free port, or again on the one that it had. `clientAuthority` is the PEM of the front proxy's. */
export async function startExtensionServer(
  clientAuthority: string,
  again?: { readonly port: number; readonly authority: KeyPair },
): Promise<ExtensionServer & { readonly authority: KeyPair }> {
  const now = Date.now()
  const authority = again?.authority ?? (await createAuthority({ commonName: 'ext', now, validDays: 1 }))
  const own = await issueCertificate(authority, {
    subject: { commonName: 'ext' },
    usage: 'server',
    names: ['flunders.ext.svc'],
    now,
    validDays: 1,
  })
  const seen: SeenRequest[] = []
  const server: Server = createServer({
    cert: own.certificate,
    key: own.privateKey,
    ca: clientAuthority,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const note = (request: IncomingMessage): void => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, client: clientOf(request) })
  }
  server.on('request', (request, response) => {
    note(request)
    const send = (value: object, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://ext')
    if (pathname === '/apis/ext.example.com/v1') return send(resources)
    if (pathname === '/openapi/v2') return send(openApiV2)
    if (pathname === '/openapi/v3/apis/ext.example.com/v1')
      return send({ openapi: '3.0.0', info: { title: 'ext', version: '1' }, paths: {}, components: { schemas: openApiV2.definitions } })
    if (pathname.endsWith('/flunders') && searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(`${JSON.stringify({ type: 'ADDED', object: flunder('one') })}\n`)
      setTimeout(() => response.end(`${JSON.stringify({ type: 'ADDED', object: flunder('two') })}\n`), 200)
      return
    }
    if (pathname.endsWith('/flunders'))
      return send({ kind: 'FlunderList', apiVersion: 'ext.example.com/v1', metadata: { resourceVersion: '1' }, items: [flunder('one')] })
    if (pathname.endsWith('/away')) return void response.writeHead(302, { location: 'https://elsewhere.example.com/' }).end()
    if (pathname.endsWith('/one')) return send(flunder('one'))
    send({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404, message: 'flunders "x" not found' }, 404)
  })
  server.on('upgrade', (request, socket) => {
    note(request)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk}`))
  })
  server.listen(again?.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    authority,
    seen,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
