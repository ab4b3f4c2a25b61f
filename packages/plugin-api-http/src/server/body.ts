import { gunzip } from 'node:zlib'
import { ApiError, type Clock } from '@continuo/core'
import type { Exchange } from './exchange.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** For the whole body. */
  readonly timeoutMs: number
}

const tooLarge = (limit: number): ApiError => new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)

const inflate = (bytes: Buffer, limit: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: limit }, (cause, result) => {
      if (cause === null) resolve(result)
      else if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') reject(tooLarge(limit))
      else reject(new ApiError('BadRequest', `the gzip encoding of the request body is broken: ${cause.message}`, undefined, { cause }))
    })
  })

/**
 * Reads the whole body, within its limits in bytes and time. Throws 413, 408 when it comes too slowly, 415 for an encoding other than gzip.
 * What is beyond the limit is never kept; the connection is given up then, for the rest of the body still lies on it.
 */
export async function readBody(exchange: Exchange, limits: BodyLimits, clock: Clock): Promise<Buffer> {
  const encoding = exchange.header('content-encoding')?.toLowerCase()
  if (encoding !== undefined && encoding !== 'identity' && encoding !== 'gzip')
    throw new ApiError(
      'UnsupportedMediaType',
      `the content encoding ${JSON.stringify(encoding.slice(0, 40))} is not supported: use gzip or none`,
    )
  const announced = Number(exchange.headers['content-length'] ?? 0)
  if (announced > limits.maxBytes) throw tooLarge(limits.maxBytes)
  if (!exchange.hasBody) {
    exchange.bodyWasRead = true
    return Buffer.alloc(0)
  }
  if (exchange.expectsContinue) exchange.response.writeContinue()
  const bytes = await collect(exchange, limits, clock)
  exchange.bodyWasRead = true
  return encoding === 'gzip' ? inflate(bytes, limits.maxBytes) : bytes
}

function collect(exchange: Exchange, limits: BodyLimits, clock: Clock): Promise<Buffer> {
  const { incoming } = exchange
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const cancel = clock.after(limits.timeoutMs, () =>
      fail(new ApiError('Timeout', `the request body did not arrive within ${limits.timeoutMs / 1000} s`, undefined, { status: 408 })),
    )
    const done = (): void => {
      cancel()
      incoming.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
    }
    const fail = (error: ApiError): void => {
      done()
      incoming.pause()
      reject(error)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limits.maxBytes) fail(tooLarge(limits.maxBytes))
      else chunks.push(chunk)
    }
    const onEnd = (): void => {
      done()
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size))
    }
    const onError = (cause: Error): void =>
      fail(new ApiError('BadRequest', `the request body broke off: ${cause.message}`, undefined, { cause }))
    const onClose = (): void => fail(new ApiError('BadRequest', 'the request body broke off'))
    incoming.on('data', onData).once('end', onEnd).once('error', onError).once('close', onClose)
  })
}
