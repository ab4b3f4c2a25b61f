import type { OutgoingHttpHeaders } from 'node:http'
import { createGzip } from 'node:zlib'
import { ApiError, type ContinuoError, isApiError, isContinuoError, type Log } from '@continuo/core'
import { stringify as stringifyYaml } from 'yaml'
import type { Wanted } from '../request/negotiate.ts'
import { readFlag } from '../request/query-options.ts'
import type { Exchange } from './exchange.ts'

/** Bytes above which answers are compressed for clients that accept it, as Kubernetes' APIResponseCompression. */
export const gzipThreshold = 128 * 1024

/** Bytes that are written without looking whether the client keeps up. */
const writeAhead = 256 * 1024

function headersFor(exchange: Exchange, contentType: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'content-type': contentType, 'cache-control': 'no-cache, private' }
  if (exchange.warnings !== undefined) headers['warning' as string] = [...exchange.warnings]
  // The rest of an unread body would be taken for the next request.
  if (!exchange.bodyWasRead && !exchange.isHttp2 && exchange.hasBody) headers.connection = 'close'
  return headers
}

/** Begins an answer whose body follows in pieces. */
export function beginAnswer(exchange: Exchange, status: number, contentType: string, extra?: OutgoingHttpHeaders): void {
  exchange.response.writeHead(status, { ...headersFor(exchange, contentType), ...extra })
}

/** Sends one whole body. */
export function sendBytes(exchange: Exchange, status: number, contentType: string, bytes: Uint8Array, extra?: OutgoingHttpHeaders): void {
  if (exchange.isGone) return
  if (bytes.length > gzipThreshold && acceptsGzip(exchange)) {
    void sendChunks(exchange, status, contentType, [bytes], bytes.length, extra)
    return
  }
  const headers = headersFor(exchange, contentType)
  headers['content-length'] = bytes.length
  exchange.response.writeHead(status, extra === undefined ? headers : { ...headers, ...extra })
  if (exchange.method === 'HEAD') exchange.response.end()
  else exchange.response.end(bytes)
}

const acceptsGzip = (exchange: Exchange): boolean =>
  /(^|[\s,])(gzip|\*)(\s*;\s*q=(?!0(\.0*)?($|\s|,))[\d.]+)?\s*($|,)/.test(exchange.header('accept-encoding') ?? '')

/** Resolves when the answer takes more, or is over. */
export const drained = (exchange: Exchange): Promise<void> =>
  new Promise((resolve) => {
    const { response } = exchange
    if (exchange.isGone) return resolve()
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.once('drain', done).once('close', done)
  })

/**
 * Sends a large body from shared pieces, no faster than the client takes it: what is not yet written costs nothing.
 * Compresses when it is worth it.
 */
export async function sendChunks(
  exchange: Exchange,
  status: number,
  contentType: string,
  chunks: Iterable<Uint8Array>,
  size: number,
  extra?: OutgoingHttpHeaders,
): Promise<void> {
  const { response } = exchange
  if (exchange.isGone) return
  const headers: OutgoingHttpHeaders = { ...headersFor(exchange, contentType), ...extra }
  if (size > gzipThreshold && acceptsGzip(exchange)) {
    response.writeHead(status, { ...headers, 'content-encoding': 'gzip', vary: 'accept-encoding' })
    const gzip = createGzip({ level: 1 })
    gzip.on('data', (bytes: Buffer) => {
      if (!response.write(bytes)) {
        gzip.pause()
        void drained(exchange).then(() => gzip.resume())
      }
    })
    gzip.once('end', () => response.end())
    response.once('close', () => gzip.destroy())
    for (const chunk of coalesce(chunks)) {
      if (exchange.isGone) return
      if (!gzip.write(chunk)) await new Promise<void>((resolve) => gzip.once('drain', resolve).once('close', resolve))
    }
    gzip.end()
    return
  }
  headers['content-length'] = size
  response.writeHead(status, headers)
  if (exchange.method === 'HEAD') return void response.end()
  for (const chunk of coalesce(chunks)) {
    if (exchange.isGone) return
    if (!response.write(chunk)) await drained(exchange)
  }
  response.end()
}

/** Joins small pieces, so that a list of many objects is few writes. */
function* coalesce(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let pending: Uint8Array[] = []
  let size = 0
  for (const chunk of chunks) {
    pending.push(chunk)
    size += chunk.length
    if (size < writeAhead / 4) continue
    yield pending.length === 1 ? chunk : Buffer.concat(pending, size)
    pending = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(pending, size)
}

/** Clients at which a person looks get indented JSON, as in Kubernetes. */
const wantsPretty = (exchange: Exchange): boolean => {
  if (exchange.query?.has('pretty') === true) return readFlag(exchange.query, 'pretty')
  const agent = exchange.header('user-agent')
  return agent !== undefined && (agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0'))
}

/** True when JSON bytes can go out as they are. */
export const wantsPlainJson = (exchange: Exchange, wanted: Wanted): boolean =>
  wanted.mediaType === 'application/json' && !wantsPretty(exchange)

/** Turns JSON into the form that the client wants: indented, or YAML. */
export function dress(exchange: Exchange, wanted: Wanted, json: Uint8Array): { readonly contentType: string; readonly bytes: Uint8Array } {
  if (wantsPlainJson(exchange, wanted)) return { contentType: 'application/json', bytes: json }
  const value: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'))
  return wanted.mediaType === 'application/yaml'
    ? { contentType: 'application/yaml', bytes: Buffer.from(stringifyYaml(value, { aliasDuplicateObjects: false, lineWidth: 0 })) }
    : { contentType: 'application/json', bytes: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) }
}

/** Sends a JSON value of the server's own making, in the form that the client wants. */
export function sendJson(exchange: Exchange, status: number, wanted: Wanted, value: unknown): void {
  const { contentType, bytes } = dress(exchange, wanted, Buffer.from(`${JSON.stringify(value)}\n`))
  sendBytes(exchange, status, contentType, bytes)
}

export const jsonForm: Wanted = { mediaType: 'application/json' }

/** What a client is told about an error. Anything but an ApiError is a fault of the server: it is logged, and its text stays here. */
export function asApiError(error: unknown, log: Log, what: string): ApiError {
  if (isApiError(error)) return error
  const known = isContinuoError(error) ? (error as ContinuoError) : undefined
  log.error({ error, what }, 'request failed')
  return new ApiError(
    'InternalError',
    known === undefined ? 'Internal error occurred' : `Internal error occurred: ${known.message}`,
    undefined,
    { cause: error },
  )
}

/** Answers with a `Status`; on an answer that has begun, ends it without a proper end, so that the client notices. */
export function sendError(exchange: Exchange, error: ApiError): void {
  const { response } = exchange
  if (exchange.isGone) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  const retryAfter = error.details?.retryAfterSeconds
  const { contentType, bytes } = dress(exchange, jsonForm, Buffer.from(`${JSON.stringify(error.toStatus())}\n`))
  sendBytes(exchange, error.status, contentType, bytes, retryAfter === undefined ? undefined : { 'retry-after': String(retryAfter) })
}
