/** One message between agent and shim: a type of one character and its payload. */
export interface Frame {
  readonly type: string
  readonly payload: Buffer
}

/** Longest payload of an input frame; longer input is cut into several. */
export const maxInput = 32_768

export function encodeFrame(type: string, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.allocUnsafe(5 + payload.length)
  frame.write(type, 0, 1, 'latin1')
  frame.writeUInt32LE(payload.length, 1)
  frame.set(payload, 5)
  return frame
}

/** Cuts a byte stream into frames. Holds at most one incomplete frame, whose size the shim bounds to 16 KB plus its header. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Adds bytes and returns the frames that they complete. */
  push(chunk: Uint8Array): Frame[] {
    let data = this.#rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    while (data.length >= 5) {
      const length = data.readUInt32LE(1)
      if (data.length < 5 + length) break
      frames.push({
        type: String.fromCharCode(data[0] ?? 0),
        payload: data.subarray(5, 5 + length),
      })
      data = data.subarray(5 + length)
    }
    this.#rest = data
    return frames
  }
}
