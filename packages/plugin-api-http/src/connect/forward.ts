import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { pipeline as pipe } from 'node:stream/promises'
import { ApiError, isApiError } from '@continuo/core'
import type { ConnectTarget } from '@continuo/workload'
import { beginAnswer, sendBytes } from '../server/answer.ts'
import type { Exchange } from '../server/exchange.ts'
import { forwardedHeaders, passedHeaders } from './headers.ts'
import { slashBehind, withPrefix } from './redirects.ts'

/** How much of an error that the other end tells in plain text is passed on. */
const maxErrorText = 8_192

const unreachable = (cause: unknown): ApiError =>
  isApiError(cause)
    ? cause
    : new ApiError(
        'ServiceUnavailable',
        `the other end cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
        undefined,
        { cause },
      )

/** Asks the target over a stream of its own, which is never used again. */
async function ask(
  target: ConnectTarget,
  method: string,
  headers: Record<string, string | string[]>,
  signal: AbortSignal,
): Promise<ClientRequest> {
  let stream: Duplex
  try {
    stream = await target.open(signal)
  } catch (error) {
    throw unreachable(error)
  }
  const close = (): void => void stream.destroy()
  signal.addEventListener('abort', close, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', close))
  if (signal.aborted) close()
  stream.on('error', () => {})
  return httpRequest({
    method: target.method ?? method,
    path: target.path,
    headers: { ...headers, ...target.headers, host: target.host },
    // Without an agent nothing is pooled: a stream that was upgraded or broke off must not serve somebody else.
    createConnection: () => stream,
    setHost: false,
  } as RequestOptions)
}

/** Text of an error answer, for a Status. */
async function errorText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    size += (chunk as Buffer).length
    if (size > maxErrorText) break
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8').trim()
}

const refusals = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
} as const

/** What a client is told when our own agent refuses or fails. */
async function refusalOf(answer: IncomingMessage): Promise<ApiError> {
  const status = answer.statusCode ?? 500
  if (status >= 300 && status < 400) {
    answer.resume()
    return new ApiError('InternalError', 'the other end answered with a redirect, which is not followed')
  }
  const text = await errorText(answer)
  const reason = refusals[status as keyof typeof refusals] ?? 'InternalError'
  return new ApiError(reason, text === '' ? `the other end answered ${status}` : text, undefined, { status })
}

const isRedirect = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 300 && statusCode < 400 && statusCode !== 304

const forbiddenRedirect = (): ApiError =>
  new ApiError('InternalError', 'the backend attempted to redirect this request, which is not permitted', undefined, { status: 502 })

/** Finds out where a request goes, when it is about to go there. Throws ApiError. */
export type FindTarget = (signal: AbortSignal) => Promise<ConnectTarget> | ConnectTarget

/** Forwards a request without an upgrade: logs, proxied calls, other servers' groups. Whatever happens, the stream to the target is closed afterwards. */
export async function forward(exchange: Exchange, stopping: AbortSignal, find: FindTarget): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, exchange.signal, stopping])
  try {
    const target = await find(signal)
    const elsewhere = slashBehind(exchange, target)
    if (elsewhere !== undefined) return sendBytes(exchange, 301, 'text/plain', Buffer.alloc(0), ['location', elsewhere])
    const transparent = target.transparent === true
    const outgoing = await ask(target, exchange.method, forwardedHeaders(exchange.headers, transparent), signal)
    const answer = await answerTo(outgoing, exchange)
    if (!transparent && (answer.statusCode ?? 500) >= 300) throw await refusalOf(answer)
    if (target.refuseRedirects === true && isRedirect(answer)) throw forbiddenRedirect()
    await copyAnswer(exchange, answer, target)
  } finally {
    over.abort()
  }
}

const answerTo = (outgoing: ClientRequest, exchange: Exchange): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    outgoing.once('response', resolve).once('error', (cause) => reject(unreachable(cause)))
    outgoing.once('upgrade', (_answer, stream) => {
      stream.destroy()
      reject(new ApiError('InternalError', 'the other end changed the protocol without being asked'))
    })
    if (!exchange.hasBody) return void outgoing.end()
    exchange.bodyWasRead = true
    if (exchange.expectsContinue) exchange.response.writeContinue()
    pipeline(exchange.incoming, outgoing, () => {})
  })

async function copyAnswer(exchange: Exchange, answer: IncomingMessage, target: ConnectTarget): Promise<void> {
  const { response } = exchange
  const transparent = target.transparent === true
  const contentType = answer.headers['content-type'] ?? (transparent ? undefined : 'text/plain')
  if (transparent) response.writeHead(answer.statusCode ?? 502, passedHeaders(withPrefix(answer.headers, target), exchange.isHttp2))
  else beginAnswer(exchange, answer.statusCode ?? 500, contentType as string)
  response.flushHeaders()
  response.once('close', () => answer.destroy())
  try {
    await pipe(answer, exchange.outgoing)
  } catch {
    // The stream broke off in the middle: the client must notice.
    response.destroy()
  }
}

/**
 * Forwards an HTTP/1.1 upgrade. Bytes flow only after the target has answered 101; any other answer goes back as an ordinary one,
 * and its stream is closed. Resolves when the tunnel has ended.
 */
export async function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  stopping: AbortSignal,
  find: FindTarget,
): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, stopping])
  const gone = (): void => over.abort()
  socket.once('close', gone)
  socket.on('error', gone)
  try {
    const target = await find(signal)
    const wanted = (request.headers.upgrade ?? '').toLowerCase()
    if (target.upgrades?.includes(wanted) !== true)
      throw new ApiError('BadRequest', `the upgrade to ${JSON.stringify(wanted.slice(0, 40))} is not supported here`)
    const headers = {
      ...forwardedHeaders(request.headers, target.transparent === true),
      connection: 'Upgrade',
      upgrade: request.headers.upgrade as string,
    }
    const outgoing = await ask(target, request.method ?? 'GET', headers, signal)
    const [answer, stream, first] = await new Promise<[IncomingMessage, Duplex | undefined, Buffer]>((resolve, reject) => {
      outgoing.once('upgrade', (incoming, upgraded, rest) => resolve([incoming, upgraded, rest]))
      outgoing.once('response', (incoming) => resolve([incoming, undefined, Buffer.alloc(0)]))
      outgoing.once('error', (cause) => reject(unreachable(cause)))
      outgoing.end()
    })
    if (stream === undefined) {
      if (target.transparent !== true) throw await refusalOf(answer)
      if (target.refuseRedirects === true && isRedirect(answer)) throw forbiddenRedirect()
      return await passRefusal(answer, target, socket)
    }
    await tunnel(answer, stream, first, socket, head, signal)
  } finally {
    socket.off('close', gone)
    over.abort()
  }
}

/** A proxied server that does not change the protocol says so itself. The connection ends with it. */
async function passRefusal(answer: IncomingMessage, target: ConnectTarget, socket: Duplex): Promise<void> {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ''}`, 'Connection: close']
  const headers = passedHeaders(withPrefix(answer.headers, target), false)
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await pipe(answer, socket).catch(() => socket.destroy())
}

function tunnel(answer: IncomingMessage, stream: Duplex, first: Buffer, socket: Duplex, head: Buffer, signal: AbortSignal): Promise<void> {
  const lines = ['HTTP/1.1 101 Switching Protocols']
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  if (first.length > 0) socket.write(first)
  if (head.length > 0) stream.write(head)
  return new Promise((resolve) => {
    const cut = (): void => {
      stream.destroy()
      socket.destroy()
    }
    signal.addEventListener('abort', cut, { once: true })
    stream.on('error', cut)
    socket.on('error', cut)
    // What the other end has said still reaches the client.
    stream.once('close', () => closeSoon(socket))
    socket.once('close', () => {
      signal.removeEventListener('abort', cut)
      stream.destroy()
      resolve()
    })
    if (signal.aborted || socket.destroyed) cut()
    if (socket.closed) resolve()
    stream.pipe(socket).pipe(stream)
  })
}

/** Closes after what was written has gone out. */
const closeSoon = (socket: Duplex): void => {
  if ('destroySoon' in socket) (socket as Socket).destroySoon()
  else socket.end()
}
