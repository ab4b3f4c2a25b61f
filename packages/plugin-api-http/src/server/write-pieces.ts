import type { OutgoingHttpHeaders } from 'node:http'
import { createGzip, type Gzip } from 'node:zlib'
import type { Clock } from '@continuo/core'
import { acceptsGzip, beginAnswer, gzipThreshold, sendBytes } from './answer.ts'
import type { Exchange } from './exchange.ts'

/** Small pieces are joined into blocks of about this size. */
const blockBytes = 128 * 1024
/** The event loop gets its turn after so long. */
const turnMs = 5
/** Pieces between two looks at the clock. */
const stride = 16
/** A client that takes nothing for so long is cut off. */
const stallMs = 60_000

/** Waits until the client has taken what was written; false when it went away, or took nothing in time and was cut off. */
export async function keptUp(exchange: Exchange, clock: Clock): Promise<boolean> {
  if (exchange.isGone) return false
  const { response } = exchange
  return new Promise((resolve) => {
    const settle = (): void => {
      cancel()
      response.off('drain', settle).off('close', settle)
      resolve(!exchange.isGone)
    }
    const cancel = clock.after(stallMs, () => {
      response.destroy()
      settle()
    })
    response.once('drain', settle).once('close', settle)
  })
}

/** Joins pieces into blocks, and lets other work run between them: making a piece may mean decoding an object. */
async function* blocksOf(pieces: Iterable<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = []
  let size = 0
  let count = 0
  let began = clock.monotonic()
  for (const piece of pieces) {
    pending.push(piece)
    size += piece.length
    if (++count % stride === 0 && clock.monotonic() - began > turnMs) {
      await clock.yield()
      began = clock.monotonic()
    }
    if (size < blockBytes) continue
    yield pending.length === 1 ? piece : Buffer.concat(pending, size)
    pending = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(pending, size)
}

/** All pieces, for forms that need the whole. */
export async function allOf(pieces: Iterable<Uint8Array>, clock: Clock): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for await (const block of blocksOf(pieces, clock)) blocks.push(block)
  return blocks
}

/**
 * Sends a body whose pieces are made while it goes out, no faster than the client takes it. A small one goes as a whole,
 * with its length; a large one in blocks, compressed for clients that accept it.
 */
export async function sendPieces(
  exchange: Exchange,
  status: number,
  contentType: string,
  pieces: Iterable<Uint8Array>,
  clock: Clock,
): Promise<void> {
  const blocks = blocksOf(pieces, clock)
  const first = await blocks.next()
  const second = await blocks.next()
  if (first.done === true || second.done === true) {
    sendBytes(exchange, status, contentType, first.value ?? new Uint8Array())
    return
  }
  if (exchange.isGone) return
  const zipped = first.value.length + second.value.length > gzipThreshold && acceptsGzip(exchange)
  const extra: OutgoingHttpHeaders = zipped ? { 'content-encoding': 'gzip', vary: 'accept-encoding' } : {}
  beginAnswer(exchange, status, contentType, extra)
  const sink = zipped ? compressing(exchange, clock) : plain(exchange, clock)
  const all = (async function* () {
    yield first.value
    yield second.value
    yield* blocks
  })()
  for await (const block of all) if (!(await sink.write(block))) return
  sink.end()
}

interface Sink {
  /** False when nobody reads any more. */
  write(block: Uint8Array): boolean | Promise<boolean>
  end(): void
}

const plain = (exchange: Exchange, clock: Clock): Sink => ({
  write: (block) => (exchange.isGone ? false : exchange.response.write(block) || keptUp(exchange, clock)),
  end: () => void exchange.response.end(),
})

function compressing(exchange: Exchange, clock: Clock): Sink {
  const { response } = exchange
  const gzip: Gzip = createGzip({ level: 1 })
  gzip.on('data', (bytes: Buffer) => {
    if (exchange.isGone || response.write(bytes)) return
    gzip.pause()
    void keptUp(exchange, clock).then(() => gzip.resume())
  })
  gzip.once('end', () => response.end())
  response.once('close', () => gzip.destroy())
  return {
    write: (block) =>
      exchange.isGone
        ? false
        : gzip.write(block) ||
          new Promise((resolve) => {
            const settle = (): void => {
              gzip.off('drain', settle).off('close', settle)
              resolve(!exchange.isGone)
            }
            gzip.once('drain', settle).once('close', settle)
          }),
    end: () => void gzip.end(),
  }
}
