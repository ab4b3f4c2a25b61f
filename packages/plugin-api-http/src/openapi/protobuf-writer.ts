/** Writes protobuf's wire format: varints, doubles and length-delimited fields, which is all that one-way encoding of a document needs. */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  /** A non-negative safe integer. */
  #varint(value: number): void {
    const bytes: number[] = []
    let rest = value
    while (rest > 0x7f) {
      bytes.push((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
    this.#push(Uint8Array.from(bytes))
  }

  #bytes(field: number, bytes: Uint8Array): void {
    this.#varint(field * 8 + 2)
    this.#varint(bytes.length)
    this.#push(bytes)
  }

  string(field: number, value: unknown): this {
    if (typeof value === 'string' && value !== '') this.#bytes(field, Buffer.from(value))
    return this
  }

  strings(field: number, values: unknown): this {
    if (Array.isArray(values)) for (const value of values) this.#bytes(field, Buffer.from(String(value)))
    return this
  }

  bool(field: number, value: unknown): this {
    if (value === true) {
      this.#varint(field * 8)
      this.#varint(1)
    }
    return this
  }

  integer(field: number, value: unknown): this {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) {
      this.#varint(field * 8)
      this.#varint(value)
    }
    return this
  }

  double(field: number, value: unknown): this {
    if (typeof value === 'number' && value !== 0) {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(value)
      this.#varint(field * 8 + 1)
      this.#push(bytes)
    }
    return this
  }

  /** A message, written even when it is empty: presence means something in it. */
  message(field: number, write: (writer: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter()
    write(inner)
    this.#bytes(field, inner.finish())
    return this
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#length)
  }
}
