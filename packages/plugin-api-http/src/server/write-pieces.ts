import { createGzip, type Gzip } from 'node:zlib'
import type { Clock } from '@continuo/core'
import { acceptsGzip, beginAnswer, gzipThreshold, sendBytes } from './answer.ts'
import { Block, type BlockPool, type Piece } from './blocks.ts'
import type { Exchange } from './exchange.ts'

/** Bytes of one answer that may wait for its client. */
const maxQueued = 512 * 1024
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
async function* blocksOf(pieces: Iterable<Piece>, clock: Clock, pool: BlockPool): AsyncGenerator<Block> {
  let block = pool.first()
  let count = 0
  let began = clock.monotonic()
  for (const piece of pieces) {
    if (++count % stride === 0 && clock.monotonic() - began > turnMs) {
      await clock.yield()
      began = clock.monotonic()
    }
    if (block.add(piece)) continue
    if (!block.isEmpty) yield block
    block = pool.next()
    if (!block.add(piece)) yield Block.whole(piece instanceof Uint8Array ? piece : piece.json)
  }
  if (!block.isEmpty) yield block
}

/** All pieces, for forms that need the whole. */
export async function allOf(pieces: Iterable<Piece>, clock: Clock, pool: BlockPool): Promise<Uint8Array> {
  const blocks: Block[] = []
  for await (const block of blocksOf(pieces, clock, pool)) blocks.push(block)
  return joined(blocks)
}

/** One body of several blocks, which are given back. */
function joined(blocks: readonly Block[]): Uint8Array {
  const [first] = blocks
  if (first !== undefined && blocks.length === 1) return first.content
  const bytes = Buffer.concat(blocks.map((block) => block.content))
  for (const block of blocks) block.release()
  return bytes
}

/**
 * Sends a body whose pieces are made while it goes out, no faster than the client takes it. A small one goes as a whole,
 * with its length; a large one in blocks, compressed for clients that accept it.
 */
export async function sendPieces(
  exchange: Exchange,
  status: number,
  contentType: string,
  pieces: Iterable<Piece>,
  clock: Clock,
  pool: BlockPool,
): Promise<void> {
  const blocks = blocksOf(pieces, clock, pool)
  const begun: Block[] = []
  for (let size = 0; size <= gzipThreshold; ) {
    const { done, value } = await blocks.next()
    if (done === true) return sendBytes(exchange, status, contentType, joined(begun))
    begun.push(value)
    size += value.content.length
  }
  if (exchange.isGone) return
  const zipped = acceptsGzip(exchange)
  beginAnswer(exchange, status, contentType, zipped ? ['content-encoding', 'gzip', 'vary', 'accept-encoding'] : undefined)
  const sink = zipped ? compressing(exchange, clock) : plain(exchange, clock)
  for (const block of begun) if (!(await sink.write(block))) return
  for await (const block of blocks) if (!(await sink.write(block))) return
  sink.end()
}

interface Sink {
  /** False when nobody reads any more. */
  write(block: Block): boolean | Promise<boolean>
  end(): void
}

/** A write that failed may still be under way below: its block is not used again. */
const whenSent =
  (block: Block) =>
  (error?: Error | null): void => {
    if (error === undefined || error === null) block.release()
  }

const plain = (exchange: Exchange, clock: Clock): Sink => ({
  write: (block) =>
    exchange.isGone
      ? false
      : exchange.response.write(block.content, whenSent(block)) || exchange.response.writableLength < maxQueued || keptUp(exchange, clock),
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
        : gzip.write(block.content, whenSent(block)) ||
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
