import { Writable } from 'node:stream'

/** Takes the output of a command and keeps the first bytes of it. */
export class CollectedOutput {
  readonly #maxBytes: number
  readonly #chunks: Buffer[] = []
  #size = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** One end to write to; several share what is kept, in the order of arrival. */
  stream(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#size < this.#maxBytes) this.#chunks.push(chunk)
        this.#size += chunk.length
        done()
      },
    })
  }

  get text(): string {
    return Buffer.concat(this.#chunks).subarray(0, this.#maxBytes).toString('utf8')
  }
}
