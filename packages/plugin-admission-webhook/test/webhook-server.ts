import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority, issueCertificate } from '@continuo/lib-certificates'
import { onTestFinished } from 'vitest'

export interface Review {
  readonly apiVersion: string
  readonly kind: string
  readonly request: {
    readonly uid: string
    readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
    readonly resource: { readonly group: string; readonly version: string; readonly resource: string }
    readonly requestKind: { readonly group: string; readonly version: string; readonly kind: string }
    readonly subResource?: string
    readonly name?: string
    readonly namespace?: string
    readonly operation: string
    readonly userInfo: { readonly username: string; readonly groups?: readonly string[] }
    // biome-ignore lint/suspicious/noExplicitAny: objects of every kind
    readonly object: any
    // biome-ignore lint/suspicious/noExplicitAny: objects of every kind
    readonly oldObject: any
    readonly dryRun: boolean
    readonly options: Readonly<Record<string, unknown>> | null
  }
}

/** `response` without its uid; a function answers as it likes. */
export type Answer = Readonly<Record<string, unknown>> | ((request: IncomingMessage, response: ServerResponse) => void)

export interface WebhookServer {
  readonly port: number
  readonly caBundle: string
  /** Reviews that came, by path, in their order. */
  readonly asked: { readonly path: string; readonly review: Review }[]
  clientConfig(path?: string): { readonly url: string; readonly caBundle: string }
  stop(): Promise<void>
}

export const patchOf = (...operations: readonly object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})

/** A webhook server of its own on loopback, with a certificate of its own authority. */
export async function startWebhook(answer: (review: Review, path: string) => Answer | Promise<Answer>): Promise<WebhookServer> {
  const now = Date.now()
  const authority = await createAuthority({ commonName: 'webhook test', now, validDays: 1 })
  const names = ['127.0.0.1', 'hook.default.svc']
  const leaf = await issueCertificate(authority, { subject: { commonName: 'webhook' }, usage: 'server', names, now, validDays: 1 })
  const asked: { path: string; review: Review }[] = []
  const server = createServer({ cert: leaf.certificate, key: leaf.privateKey }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = (request.url ?? '').split('?')[0] as string
    const review = JSON.parse(Buffer.concat(chunks).toString()) as Review
    asked.push({ path, review })
    const said = await answer(review, path)
    if (typeof said === 'function') return said(request, response)
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ apiVersion: review.apiVersion, kind: 'AdmissionReview', response: { uid: review.request.uid, ...said } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  onTestFinished(stop)
  const { port } = server.address() as AddressInfo
  const caBundle = Buffer.from(authority.certificate).toString('base64')
  return { port, caBundle, asked, stop, clientConfig: (path = '/') => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }) }
}
