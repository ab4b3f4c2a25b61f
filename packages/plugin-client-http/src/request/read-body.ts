import { ApiError } from '@continuo/core'
import type { TransportResponse } from '../transport/transport.ts'
import { TransportError } from '../transport/transport.ts'

const tooLarge = (limit: number): ApiError =>
  new ApiError('InternalError', `the answer of the server is larger than ${limit} bytes`, undefined, {
    hint: 'list with a `limit`, or raise `maxResponseBytes`',
  })

const encoded = (encoding: string): ApiError =>
  new ApiError(
    'InternalError',
    `the answer of the server has the encoding ${JSON.stringify(encoding.slice(0, 40))}, which was not asked for`,
  )

/**
 * The whole body, within a bound. Throws `ApiError` for one that is too large, `CLIENT_CONNECTION_LOST` for one that was cut off.
 * The answer is closed in every case.
 */
export async function readBody(response: TransportResponse, maxBytes: number): Promise<Buffer> {
  const { body, headers } = response
  try {
    const announced = headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
    if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes)
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') throw encoded(encoding)
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of pieces(body)) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge(maxBytes)
      chunks.push(chunk)
    }
    if (!response.complete() || (announced !== undefined && announced !== size)) throw cut()
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)
  } finally {
    body.destroy()
  }
}

const cut = (cause?: unknown): TransportError =>
  new TransportError('CLIENT_CONNECTION_LOST', 'the connection to the API was lost in the middle of an answer', { cause })

/** Chunks of a body; how the platform's streams fail becomes `CLIENT_CONNECTION_LOST`. */
async function* pieces(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    yield* body
  } catch (cause) {
    throw cut(cause)
  }
}
