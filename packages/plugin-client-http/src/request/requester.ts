import type { IncomingHttpHeaders } from 'node:http'
import { ApiError, type Clock, isApiError, type Random } from '@continuo/core'
import type { Credentials } from '../access/credentials.ts'
import { type Transport, TransportError, type TransportRequest, type TransportResponse } from '../transport/transport.ts'
import { type ApiRequest, describeRequest, isRead } from './api-request.ts'
import { readBody } from './read-body.ts'
import { foreignError, isStatus, readRetryAfter, statusError } from './status-error.ts'
import { faultOf, tooSlow } from './transport-fault.ts'

/** How often one request is sent again: after 429, after a connection that ended under it, after a token that was renewed. */
const maxRetries = 4
/** A server that asks to wait longer is not waited for: its 429 goes to the caller. */
const longestWaitMs = 30_000
/** Bytes of an error's body that are read. */
const maxErrorBytes = 1024 * 1024

export interface RequesterOptions {
  readonly transport: Transport
  readonly credentials: Credentials
  readonly clock: Clock
  readonly random: Random
  readonly basePath: string
  readonly userAgent: string
  /** For a whole request with its retries; for a watch until it has begun. */
  readonly requestTimeoutMs: number
  readonly maxResponseBytes: number
  /** Receives the texts of `Warning` headers. */
  readonly onWarning?: (text: string) => void
}

export interface JsonAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Undefined for 304. */
  readonly value: unknown
}

/** Sends requests and gets answers: retries what may be retried, bounds time and size, and turns every failure into an `ApiError`. */
export class Requester {
  readonly #options: RequesterOptions

  constructor(options: RequesterOptions) {
    this.#options = options
  }

  /** A request with a JSON answer. 304 is an answer, too. Throws `ApiError`. */
  async json(request: ApiRequest): Promise<JsonAnswer> {
    return this.#withRetries(request, async (signal) => {
      const response = await this.#begin(request, signal)
      const { status, headers } = response
      if (status === 304) {
        response.body.destroy()
        return { status, headers, value: undefined }
      }
      return { status, headers, value: this.#parse(request, headers, await readBody(response, this.#options.maxResponseBytes)) }
    })
  }

  /** A request whose answer is read as it comes, until `signal` aborts. Throws `ApiError` until the answer has begun. */
  async stream(request: ApiRequest & { readonly signal: AbortSignal }): Promise<TransportResponse> {
    return this.#withRetries(request, async (deadline) => {
      // The deadline ends the wait for the answer, and must not end the answer itself.
      const either = new AbortController()
      const abort = (): void => either.abort()
      if (deadline.aborted) abort()
      deadline.addEventListener('abort', abort, { once: true })
      try {
        return await this.#begin(request, AbortSignal.any([either.signal, request.signal]))
      } finally {
        deadline.removeEventListener('abort', abort)
      }
    })
  }

  async #withRetries<T>(request: ApiRequest, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, requestTimeoutMs } = this.#options
    const deadline = new AbortController()
    const begun = clock.monotonic()
    const cancel = clock.after(requestTimeoutMs, () => deadline.abort())
    const signal = request.signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, request.signal])
    try {
      for (let retries = 0; ; retries++) {
        try {
          return await attempt(signal)
        } catch (error) {
          if (deadline.signal.aborted && !isApiError(error)) throw tooSlow(request, requestTimeoutMs)
          const wait = retries < maxRetries && !signal.aborted ? this.#retryIn(request, error, retries) : undefined
          if (wait === undefined || clock.monotonic() + wait - begun >= requestTimeoutMs) throw this.#apiError(request, error)
          if (wait === 0) continue
          await clock.sleep(wait, signal).catch(() => {
            throw this.#apiError(request, error)
          })
        }
      }
    } finally {
      cancel()
    }
  }

  /** Milliseconds after which to try again; undefined for an error that is the caller's. */
  #retryIn(request: ApiRequest, error: unknown, retries: number): number | undefined {
    const { random, credentials } = this.#options
    if (error instanceof TransportError) {
      if (error.code === 'CLIENT_NOT_PROCESSED') return 0
      return error.code === 'CLIENT_CONNECTION_LOST' && isRead(request) && retries === 0 ? 0 : undefined
    }
    if (!isApiError(error)) return undefined
    if (error.reason === 'Unauthorized' && retries === 0 && credentials.refused()) return 0
    const seconds = error.reason === 'TooManyRequests' ? error.details?.retryAfterSeconds : undefined
    if (seconds === undefined || seconds * 1000 > longestWaitMs) return undefined
    return seconds * 1000 * (1 + random.next() / 4)
  }

  #apiError(request: ApiRequest, error: unknown): ApiError {
    if (isApiError(error)) return error
    if (error instanceof TransportError) return faultOf(error, request)
    return new ApiError('InternalError', `${describeRequest(request)} failed in the client`, undefined, { cause: error })
  }

  /** Sends once. Resolves with an answer that is a success or 304. */
  async #begin(request: ApiRequest, signal: AbortSignal): Promise<TransportResponse> {
    const { transport, maxResponseBytes, onWarning } = this.#options
    const response = await transport.send(await this.#wire(request, signal))
    if (onWarning !== undefined) for (const warning of warningsOf(response.headers)) onWarning(warning)
    if (response.status === 304 || (response.status >= 200 && response.status < 300)) return response
    throw await this.#failure(response, Math.min(maxErrorBytes, maxResponseBytes))
  }

  async #wire(request: ApiRequest, signal: AbortSignal): Promise<TransportRequest> {
    const { basePath, userAgent, credentials } = this.#options
    const token = await credentials.token()
    return {
      method: request.method,
      path: `${basePath}${request.path}${request.query ? `?${request.query}` : ''}`,
      headers: {
        'user-agent': userAgent,
        accept: request.accept ?? 'application/json',
        ...request.headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: encode(request) }),
      signal,
    }
  }

  /** The error in an answer that is none of success. */
  async #failure(response: TransportResponse, maxBytes: number): Promise<ApiError> {
    const { status: code, headers } = response
    const retryAfterSeconds = readRetryAfter(headers['retry-after'])
    if (code >= 300 && code < 400) {
      response.body.destroy()
      return foreignError(code, headers['content-type'], retryAfterSeconds)
    }
    let body: unknown
    try {
      body = JSON.parse((await readBody(response, maxBytes)).toString('utf8'))
    } catch {
      // The code says enough: what came with it was too long, cut off or no JSON.
    }
    const { credentials } = this.#options
    return isStatus(body)
      ? statusError(body, { code, retryAfterSeconds, redact: (text) => credentials.redact(text) })
      : foreignError(code, headers['content-type'], retryAfterSeconds)
  }

  #parse(request: ApiRequest, headers: IncomingHttpHeaders, bytes: Buffer): unknown {
    try {
      return JSON.parse(bytes.toString('utf8'))
    } catch {
      const type = (headers['content-type'] ?? 'without a content type')
        .split(';', 1)[0]
        ?.replace(/[^\w/.+ -]/g, '?')
        .slice(0, 80)
      throw new ApiError(
        'InternalError',
        `${describeRequest(request)}: the answer of the server (${type}, ${bytes.length} bytes) is not JSON`,
        undefined,
        {
          hint: 'check that `server` is the address of the API itself',
        },
      )
    }
  }
}

function encode(request: ApiRequest): Uint8Array {
  try {
    return Buffer.from(JSON.stringify(request.body))
  } catch (cause) {
    throw new ApiError('BadRequest', `${describeRequest(request)}: the body cannot be written as JSON`, undefined, { cause })
  }
}

const maxWarnings = 64

/** Texts of `299 - "text"`. */
function warningsOf(headers: IncomingHttpHeaders): readonly string[] {
  const header: string | readonly string[] | undefined = headers.warning
  if (header === undefined) return []
  const joined = typeof header === 'string' ? header : (header as readonly string[]).join(', ')
  return [...joined.slice(0, 64 * 1024).matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)]
    .slice(0, maxWarnings)
    .map((match) => (match[1] as string).replace(/\\(.)/g, '$1'))
}
