import { StreamError } from '../stream-error.ts'

/** Types of control frames (draft 3, section 2.6). */
export const frameType = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const

/** Reasons in RST_STREAM. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
} as const

/** Set on the last frame that one side sends on a stream. */
export const flagFin = 1

/** A piece of a data frame as it arrives; `fin` comes with the last piece only. */
export interface DataPiece {
  readonly kind: 'data'
  readonly streamId: number
  readonly data: Buffer
  readonly fin: boolean
}

export interface ControlFrame {
  readonly kind: 'control'
  readonly type: number
  readonly flags: number
  readonly payload: Buffer
}

/** Longest control frame that is taken; header blocks of Kubernetes' clients have some hundred bytes. */
export const maxControlFrame = 65_536

const headerBytes = 8
const controlBit = 0x8000
const version = 3

/**
 * Cuts a byte stream into frames. Data frames are passed on piece by piece, so that nothing but one control frame is ever held.
 * Throws `STREAM_PROTOCOL` for another version or a control frame that is too long.
 */
export class SpdyParser {
  #rest: Buffer = Buffer.alloc(0)
  #data: { streamId: number; left: number; fin: boolean } | undefined;

  *push(chunk: Buffer): Generator<DataPiece | ControlFrame, void, undefined> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = Buffer.alloc(0)
    while (bytes.length > 0 || this.#data?.left === 0) {
      if (this.#data !== undefined) {
        const { streamId, left, fin } = this.#data
        const data = bytes.subarray(0, left)
        bytes = bytes.subarray(data.length)
        const done = data.length === left
        this.#data = done ? undefined : { streamId, left: left - data.length, fin }
        if (data.length > 0 || done) yield { kind: 'data', streamId, data, fin: fin && done }
        continue
      }
      if (bytes.length < headerBytes) break
      const first = bytes.readUInt16BE(0)
      const flags = bytes.readUInt8(4)
      const length = bytes.readUIntBE(5, 3)
      if ((first & controlBit) === 0) {
        this.#data = { streamId: bytes.readUInt32BE(0), left: length, fin: (flags & flagFin) !== 0 }
        bytes = bytes.subarray(headerBytes)
        continue
      }
      if ((first & ~controlBit) !== version)
        throw new StreamError('STREAM_PROTOCOL', `SPDY version ${first & ~controlBit} is not supported, only 3`)
      if (length > maxControlFrame)
        throw new StreamError('STREAM_PROTOCOL', `a SPDY control frame of ${length} bytes exceeds ${maxControlFrame}`)
      if (bytes.length < headerBytes + length) break
      yield { kind: 'control', type: bytes.readUInt16BE(2), flags, payload: bytes.subarray(headerBytes, headerBytes + length) }
      bytes = bytes.subarray(headerBytes + length)
    }
    this.#rest = bytes
  }
}

export function encodeControl(type: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length)
  frame.writeUInt16BE(controlBit | version, 0)
  frame.writeUInt16BE(type, 2)
  frame.writeUInt8(flags, 4)
  frame.writeUIntBE(payload.length, 5, 3)
  frame.set(payload, headerBytes)
  return frame
}

/** The header of a data frame; the data follow as they are. */
export function encodeDataHeader(streamId: number, flags: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes)
  frame.writeUInt32BE(streamId, 0)
  frame.writeUInt8(flags, 4)
  frame.writeUIntBE(length, 5, 3)
  return frame
}

/** A payload of 32-bit numbers. */
export function encodeWords(...words: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(4 * words.length)
  words.forEach((word, index) => {
    payload.writeUInt32BE(word, 4 * index)
  })
  return payload
}
