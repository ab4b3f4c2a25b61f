import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { getCACertificates } from 'node:tls'
import type { Clock } from '@continuo/core'
import { DialingAgent, type DialledOptions } from './dialing-agent.ts'
import { goWords } from './go-words.ts'
import { checkedLookup, isReachable } from './reachable-address.ts'
import {
  requestPath,
  type ServiceDialer,
  type ServiceReference,
  shownUrl,
  type WebhookAddress,
  type WebhookTarget,
  webhookTarget,
} from './webhook-address.ts'
import { WebhookError } from './webhook-error.ts'

export interface WebhookCallerOptions {
  /** For deadlines. */
  readonly clock: Clock
  /** The way to services. Without it, addresses that name one are refused. */
  readonly dial?: ServiceDialer
  /** Bytes of an answer at most. Default 8 MiB. */
  readonly maxAnswerBytes?: number
  /** Connections to one webhook at most; calls beyond wait for one. Default 64. */
  readonly maxConnections?: number
}

export interface CallOptions {
  /** Told to the webhook as `?timeout=`, and the end of the wait. */
  readonly timeoutMs: number
  /** Gives the call up earlier. */
  readonly signal?: AbortSignal
}

const defaultAnswerBytes = 8 * 1024 * 1024
const defaultConnections = 64
const idleConnections = 8
const idleMs = 60_000
const shownBytes = 1024

/**
 * Calls webhooks: POSTs JSON over HTTPS (TLS 1.2 and above) and gives back the JSON of the answer. Connections are kept and used again,
 * redirects are not followed, answers are bounded. Close it to end its connections.
 */
export class WebhookCaller {
  readonly #agent: DialingAgent
  readonly #options: WebhookCallerOptions
  #roots: string[] | undefined

  constructor(options: WebhookCallerOptions) {
    this.#options = options
    this.#agent = new DialingAgent({
      keepAlive: true,
      maxSockets: options.maxConnections ?? defaultConnections,
      maxFreeSockets: idleConnections,
      timeout: idleMs,
      scheduling: 'lifo',
    })
  }

  /** Throws only {@link WebhookError}. */
  async call(address: WebhookAddress, body: unknown, options: CallOptions): Promise<unknown> {
    const target = webhookTarget(address)
    const shown = shownUrl(target, options.timeoutMs)
    const deadline = new AbortController()
    const cancel = this.#options.clock.after(options.timeoutMs, () => deadline.abort())
    const signal = options.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, options.signal])
    try {
      const answer = await this.#post(this.#requestOptions(target, address, options.timeoutMs, signal), JSON.stringify(body))
      return await this.#read(answer, shown)
    } catch (error) {
      if (error instanceof WebhookError) throw error
      if (deadline.signal.aborted)
        throw new WebhookError('WEBHOOK_TIMEOUT', `Post ${JSON.stringify(shown)}: context deadline exceeded`, { cause: error })
      const why = signal.aborted ? 'context canceled' : goWords(error, target.serverName)
      throw new WebhookError('WEBHOOK_UNREACHABLE', `Post ${JSON.stringify(shown)}: ${why}`, { cause: error })
    } finally {
      cancel()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #requestOptions(target: WebhookTarget, { caBundle }: WebhookAddress, timeoutMs: number, signal: AbortSignal): DialledOptions {
    const { url, service, serverName } = target
    if (service === undefined && isIP(serverName) !== 0 && !isReachable(serverName))
      throw new WebhookError('WEBHOOK_ADDRESS', `${serverName} is not an address at which a webhook may be`)
    const port = service?.port ?? (url.port === '' ? 443 : Number(url.port))
    return {
      agent: this.#agent,
      method: 'POST',
      host: serverName,
      port,
      path: requestPath(url, timeoutMs),
      servername: isIP(serverName) === 0 ? serverName : '',
      ca: caBundle === undefined || caBundle === '' ? this.#systemRoots() : decodeBundle(caBundle),
      minVersion: 'TLSv1.2',
      ...(service === undefined ? { lookup: checkedLookup } : { dial: this.#dialler(service, signal) }),
      signal,
      headers: {
        host: service === undefined ? url.host : `${serverName}:${port}`,
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'continuo',
      },
    }
  }

  #dialler(service: ServiceReference, signal: AbortSignal): () => Promise<Duplex> {
    const { dial } = this.#options
    if (dial === undefined)
      throw new WebhookError(
        'WEBHOOK_ADDRESS',
        `service ${JSON.stringify(service.name)} cannot be called: nothing in this cluster leads to services`,
      )
    return () => dial(service, signal)
  }

  /** Once more when a connection of earlier calls turns out to be closed: the webhook has not answered, and must bear to be asked twice anyway. */
  #post(options: DialledOptions, body: string, again = true): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve)
      outgoing.once('error', (error) => {
        const wasClosed = outgoing.reusedSocket && options.signal?.aborted === false
        if (wasClosed && again) this.#post(options, body, false).then(resolve, reject)
        else reject(error)
      })
      outgoing.setHeader('content-length', Buffer.byteLength(body))
      outgoing.end(body)
    })
  }

  /** Read when first needed: that takes milliseconds, and most webhooks bring their own. */
  #systemRoots(): string[] {
    this.#roots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
    return this.#roots
  }

  async #read(answer: IncomingMessage, shown: string): Promise<unknown> {
    const status = answer.statusCode ?? 0
    const limit = this.#options.maxAnswerBytes ?? defaultAnswerBytes
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) {
        answer.destroy()
        throw new WebhookError('WEBHOOK_ANSWER', `Post ${JSON.stringify(shown)}: the answer is larger than ${limit} bytes`, { status })
      }
      chunks.push(chunk)
    }
    const text = Buffer.concat(chunks).toString('utf8')
    if (status < 200 || status > 299) throw new WebhookError('WEBHOOK_ANSWER', refusal(status, text, answer), { status })
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new WebhookError('WEBHOOK_ANSWER', `couldn't get version/kind; json parse error: ${(cause as Error).message}`, {
        status,
        cause,
      })
    }
  }
}

/** What a client of Kubernetes makes of an answer that is no success. */
function refusal(status: number, text: string, answer: IncomingMessage): string {
  const shown = text.slice(0, shownBytes).trim()
  if (status >= 300 && status < 400)
    return `the server answered with a redirect (${status} to ${answer.headers.location ?? 'nowhere'}), which is not followed`
  if (status === 404) return 'the server could not find the requested resource'
  if (status === 400) return `the server rejected our request for an unknown reason${shown === '' ? '' : ` (${shown})`}`
  if (status >= 500) return `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`
  return `the server responded with the status code ${status} but did not return more information`
}

function decodeBundle(caBundle: string): string {
  const pem = Buffer.from(caBundle, 'base64').toString('latin1')
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new WebhookError('WEBHOOK_ADDRESS', 'unable to load root certificates: unable to parse bytes as PEM block')
  return pem
}
