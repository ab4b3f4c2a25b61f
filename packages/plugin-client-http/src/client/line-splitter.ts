import { ApiError } from '@continuo/core'

const newline = 0x0a

/** Cuts a stream of bytes into lines, and refuses one that grows beyond a bound. */
export class LineSplitter {
  readonly #maxBytes: number
  #pending: Buffer[] = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that the chunk completes, without their ends; empty ones are left out. Throws 500 for one that is too long. */
  *push(chunk: Buffer): Generator<string, void, void> {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = this.#take(chunk.subarray(from, at))
      from = at + 1
      if (line !== '') yield line
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
  }

  /** What came after the last line end. */
  rest(): string {
    return this.#take(Buffer.alloc(0))
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#maxBytes) throw tooLong(this.#maxBytes)
    this.#pending.push(part)
  }

  #take(last: Buffer): string {
    if (this.#size + last.length > this.#maxBytes) throw tooLong(this.#maxBytes)
    const bytes = this.#pending.length === 0 ? last : Buffer.concat([...this.#pending, last], this.#size + last.length)
    this.#pending = []
    this.#size = 0
    return bytes.toString('utf8').trim()
  }
}

const tooLong = (limit: number): ApiError =>
  new ApiError('InternalError', `an event of the watch is larger than ${limit} bytes`, undefined, { hint: 'raise `maxEventBytes`' })
