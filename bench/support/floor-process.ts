// The bare server: node:http2 with the same TLS, one listener, nothing but given bytes. The floor that the API is compared with.

import { createSecureServer, type Http2SecureServer, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { cpuMicros, serve } from './child.ts'

let server: Http2SecureServer
const bodies = new Map<string, Uint8Array>()
const watchers = new Set<Http2ServerResponse>()

serve({
  async listen({ cert, key, ca }: { cert: string; key: string; ca: string }) {
    const settings = { maxConcurrentStreams: 1_000, initialWindowSize: 256 * 1024 }
    server = createSecureServer(
      { allowHTTP1: true, cert, key, ca, requestCert: true, rejectUnauthorized: true, settings },
      (request, response) => {
        if (request.url.includes('watch=')) {
          response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
          // Both kinds of response have it; the types of one do not say so.
          ;(response as unknown as { flushHeaders(): void }).flushHeaders()
          watchers.add(response)
          response.on('close', () => watchers.delete(response))
          return
        }
        const body = bodies.get(request.url) as Uint8Array
        const answer = (): void => {
          response.writeHead(200, {
            'content-type': 'application/json',
            'cache-control': 'no-cache, private',
            'content-length': body.length,
          })
          response.end(body)
        }
        if (request.method === 'GET') answer()
        else request.on('data', () => undefined).on('end', answer)
      },
    )
    server.on('connection', (socket) => socket.setNoDelay(true))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', 1_024, resolve)
    })
    return (server.address() as AddressInfo).port
  },
  serve: ({ path, body }: { path: string; body: Uint8Array }) => void bodies.set(path, body),
  /** Writes so many events of so many bytes to every watcher, an event in each turn of the event loop. */
  async write({ events, bytes }: { events: number; bytes: number }) {
    const line = Buffer.alloc(bytes, 120)
    const before = cpuMicros()
    for (let i = 0; i < events; i++) {
      for (const response of watchers) response.write(line)
      await new Promise((resolve) => setImmediate(resolve))
    }
    return before
  },
})
