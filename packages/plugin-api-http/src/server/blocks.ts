import type { ObjectView } from '@continuo/core'

/** A piece of a body: bytes, or an object that writes its JSON itself. */
export type Piece = Uint8Array | ObjectView

/** Size of the blocks in which large bodies go out. */
export const blockBytes = 128 * 1024
/** The first block of a body, just small enough to be cut from Node's own pool: most bodies are no larger, and go as a whole. */
const firstBlockBytes = 4_000
/** Free blocks that are kept. */
const maxFree = 32

/**
 * Blocks that were sent and can be filled again. Large lists would otherwise make megabytes of new buffers a second,
 * for which V8 collects its whole heap again and again. At most 4 MiB are kept; beyond that blocks are left to the collector.
 */
export class BlockPool {
  readonly #free: Buffer[] = []

  /** The first block of a body is a small one of its own. */
  first(): Block {
    return new Block(Buffer.allocUnsafe(firstBlockBytes), undefined)
  }

  next(): Block {
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
    return new Block(bytes, (free) => {
      if (this.#free.length < maxFree) this.#free.push(free)
    })
  }
}

/** Gathers pieces until it is full. */
export class Block {
  #bytes: Buffer
  #used = 0
  #giveBack: ((bytes: Buffer) => void) | undefined

  constructor(bytes: Buffer, giveBack: ((bytes: Buffer) => void) | undefined) {
    this.#bytes = bytes
    this.#giveBack = giveBack
  }

  get isEmpty(): boolean {
    return this.#used === 0
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#used)
  }

  /** False, and nothing is taken, when the piece does not fit. */
  add(piece: Piece): boolean {
    if (!(piece instanceof Uint8Array)) {
      const end = piece.writeJson(this.#bytes, this.#used)
      if (end >= 0) this.#used = end
      return end >= 0
    }
    if (this.#used + piece.length > this.#bytes.length) return false
    this.#bytes.set(piece, this.#used)
    this.#used += piece.length
    return true
  }

  /** Takes bytes that fill a block of their own. */
  static whole(bytes: Uint8Array): Block {
    const block = new Block(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), undefined)
    block.#used = bytes.length
    return block
  }

  /** To be called once, when surely nobody reads the content any more. A block that is never given back is collected as other memory is. */
  release(): void {
    const giveBack = this.#giveBack
    this.#giveBack = undefined
    giveBack?.(this.#bytes)
    this.#bytes = nothing
    this.#used = 0
  }
}

const nothing = Buffer.alloc(0)
