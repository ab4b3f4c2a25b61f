import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority, issueCertificate } from '@continuo/lib-certificates'
import { onTestFinished } from 'vitest'

export interface WebhookServer {
  readonly port: number
  readonly url: string
  /** PEM in base64, as configurations hold it. */
  readonly caBundle: string
  readonly connections: () => number
  readonly server: Server
}

/** An HTTPS server on loopback with a certificate for these names, signed by an authority of its own. */
export async function startWebhook(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  names: readonly string[] = ['127.0.0.1', 'localhost', 'hook.default.svc'],
): Promise<WebhookServer> {
  const now = Date.now()
  const authority = await createAuthority({ commonName: 'webhook test', now, validDays: 1 })
  const leaf = await issueCertificate(authority, { subject: { commonName: 'webhook' }, usage: 'server', names, now, validDays: 1 })
  let connections = 0
  const server = createServer({ cert: leaf.certificate, key: leaf.privateKey }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    answer(request, response, Buffer.concat(chunks).toString())
  })
  server.on('secureConnection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `https://127.0.0.1:${port}/ask`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    connections: () => connections,
    server,
  }
}
