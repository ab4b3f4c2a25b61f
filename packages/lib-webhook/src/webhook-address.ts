import type { Duplex } from 'node:stream'
import { WebhookError } from './webhook-error.ts'

/** How a webhook is reached, as configurations say it: exactly one of `url` and `service`. */
export interface WebhookAddress {
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number }
  /** Certificates (PEM in base64) that sign the webhook's own. Without them: the roots of the system. */
  readonly caBundle?: string
}

/** A service's port. */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** Opens a byte stream to one of the endpoints of a service. Throws an error that says why nobody answers; asked once for each connection. */
export type ServiceDialer = (service: ServiceReference, signal: AbortSignal) => Promise<Duplex>

/** What a call needs of an address. */
export interface WebhookTarget {
  /** As messages show it; without a query. */
  readonly url: URL
  /** The name that the certificate must have. */
  readonly serverName: string
  readonly service?: ServiceReference
}

const httpsPort = 443

/** Reads an address. A service is called by the name that its certificate has: `<name>.<namespace>.svc`. Throws `WEBHOOK_ADDRESS`. */
export function webhookTarget({ url, service }: WebhookAddress): WebhookTarget {
  if (service !== undefined) {
    const { namespace, name, path = '', port = httpsPort } = service
    const serverName = `${name}.${namespace}.svc`
    const target = new URL(`https://${serverName}/`)
    target.pathname = path
    return { url: target, serverName, service: { namespace, name, port } }
  }
  if (url === undefined || !URL.canParse(url)) throw new WebhookError('WEBHOOK_ADDRESS', `${JSON.stringify(url ?? '')} is not a valid URL`)
  const target = new URL(url)
  if (target.protocol !== 'https:') throw new WebhookError('WEBHOOK_ADDRESS', `${url}: 'https' is the only allowed URL scheme`)
  return { url: target, serverName: target.hostname.replace(/^\[|\]$/g, '') }
}

/** The address as Kubernetes' messages show it: with the port of a service, and the deadline that the webhook is told. */
export function shownUrl({ url, service }: WebhookTarget, timeoutMs: number): string {
  const host = service === undefined ? url.host : `${url.hostname}:${service.port}`
  return `https://${host}${requestPath(url, timeoutMs)}`
}

/** Path and query to ask for. */
export const requestPath = (url: URL, timeoutMs: number): string => `${url.pathname}?timeout=${Math.ceil(timeoutMs / 1000)}s`
