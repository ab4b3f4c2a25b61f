import { createRequire } from 'node:module'
import { gzip } from 'node:zlib'
import { ApiError, type ContinuoError, isApiError, isContinuoError, type Log } from '@continuo/core'
import { encodeProtobuf, protobufMediaType } from '@continuo/workload'
import { statusForm, type Wanted } from '../request/negotiate.ts'
import { readFlag } from '../request/query-options.ts'
import type { Exchange, RawHeaders } from './exchange.ts'

/** Loaded with the first answer that is to be YAML: few ever are. */
const loadYaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml')

/** Bytes above which answers are compressed for clients that accept it, as Kubernetes' APIResponseCompression. */
export const gzipThreshold = 128 * 1024

function headersFor(exchange: Exchange, contentType: string, extra?: RawHeaders): string[] {
  const headers = ['content-type', contentType]
  if (extra === undefined || !extra.includes('cache-control')) headers.push('cache-control', 'no-cache, private')
  if (exchange.place !== undefined) {
    headers.push('x-kubernetes-pf-flowschema-uid', exchange.place.flowSchemaUid)
    headers.push('x-kubernetes-pf-prioritylevel-uid', exchange.place.priorityLevelUid)
  }
  if (exchange.audit !== undefined) headers.push('audit-id', exchange.audit.id)
  if (exchange.warnings !== undefined) for (const warning of exchange.warnings) headers.push('warning', warning)
  // The rest of an unread body would be taken for the next request.
  if (!exchange.bodyWasRead && !exchange.isHttp2 && exchange.hasBody) headers.push('connection', 'close')
  if (extra !== undefined) headers.push(...extra)
  return headers
}

/** Begins an answer whose body follows in pieces. */
export function beginAnswer(exchange: Exchange, status: number, contentType: string, extra?: RawHeaders): void {
  exchange.response.writeHead(status, headersFor(exchange, contentType, extra))
}

/** Sends one whole body. */
export function sendBytes(exchange: Exchange, status: number, contentType: string, bytes: Uint8Array, extra: RawHeaders = []): void {
  if (exchange.isGone) return
  if (bytes.length > gzipThreshold && acceptsGzip(exchange)) {
    gzip(bytes, { level: 1 }, (error, zipped) => {
      // Nobody but this process itself can make compression fail; the plain form is right all the same.
      if (error === null)
        sendWhole(exchange, status, contentType, zipped, [...extra, 'content-encoding', 'gzip', 'vary', 'accept-encoding'])
      else sendWhole(exchange, status, contentType, bytes, extra)
    })
    return
  }
  sendWhole(exchange, status, contentType, bytes, extra)
}

function sendWhole(exchange: Exchange, status: number, contentType: string, bytes: Uint8Array, extra: RawHeaders): void {
  if (exchange.isGone) return
  const headers = headersFor(exchange, contentType, extra)
  headers.push('content-length', String(bytes.length))
  exchange.response.writeHead(status, headers)
  if (exchange.method === 'HEAD') exchange.response.end()
  else exchange.response.end(bytes)
}

export const acceptsGzip = (exchange: Exchange): boolean =>
  /(^|[\s,])(gzip|\*)(\s*;\s*q=(?!0(\.0*)?($|\s|,))[\d.]+)?\s*($|,)/.test(exchange.header('accept-encoding') ?? '')

/** Clients at which a person looks get indented JSON, as in Kubernetes. */
const wantsPretty = (exchange: Exchange): boolean => {
  if (exchange.query?.has('pretty') === true) return readFlag(exchange.query, 'pretty')
  const agent = exchange.header('user-agent')
  return agent !== undefined && (agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0'))
}

/** True when JSON bytes can go out as they are. */
export const wantsPlainJson = (exchange: Exchange, wanted: Wanted): boolean =>
  wanted.mediaType === 'application/json' && !wantsPretty(exchange)

/** Turns JSON into the form that the client wants: indented, YAML, or protobuf for a kind that has it. */
export function dress(exchange: Exchange, wanted: Wanted, json: Uint8Array): { readonly contentType: string; readonly bytes: Uint8Array } {
  if (wantsPlainJson(exchange, wanted)) return { contentType: 'application/json', bytes: json }
  const value: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'))
  if (wanted.mediaType === protobufMediaType)
    return { contentType: protobufMediaType, bytes: encodeProtobuf(value as { apiVersion: string; kind: string }) }
  return wanted.mediaType === 'application/yaml'
    ? { contentType: 'application/yaml', bytes: Buffer.from(loadYaml().stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 })) }
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
  exchange.audit?.failed({ status: 'Failure', reason: error.reason, message: error.message, code: error.status })
  if (exchange.isGone) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  const retryAfter = error.details?.retryAfterSeconds
  const { contentType, bytes } = dress(
    exchange,
    statusForm(exchange.header('accept')),
    Buffer.from(`${JSON.stringify(error.toStatus())}\n`),
  )
  sendBytes(exchange, error.status, contentType, bytes, retryAfter === undefined ? undefined : ['retry-after', String(retryAfter)])
}
