import { classIn, decodeName, flags, headerBytes, rcodes } from './protocol.ts'
import { optOf, walkMessage } from './walk-message.ts'

/** What a client may be answered in beside 512 bytes. */
export interface Edns {
  readonly udpBytes: number
  readonly version: number
  readonly dnssec: boolean
}

export interface Query {
  readonly id: number
  readonly opcode: number
  /** Recursion desired, and checking disabled: copied into the answer. */
  readonly copied: number
  /** The question as the client wrote it, letter for letter: it stands so in the answer (0x20). */
  readonly question: Buffer
  /** In lower case, without a final dot; the root is empty. */
  readonly name: string
  readonly type: number
  readonly class: number
  readonly edns?: Edns
}

/** A message that has an id and can be told what is wrong with it. */
export interface Unreadable {
  readonly id: number
  readonly opcode: number
  readonly rcode: number
}

const doBit = 0x8000
const lastLower = 0x20

/** The bytes with ASCII letters in lower case. Lengths of labels stay, because they are below those of letters. */
export function lowerCase(bytes: Buffer): Buffer {
  const lower = Buffer.from(bytes)
  for (let at = 0; at < lower.length; at++) {
    const byte = lower[at] as number
    if (byte >= 65 && byte <= 90) lower[at] = byte | lastLower
  }
  return lower
}

/** Reads a datagram. Nothing when it is no query at all and gets no answer. Never throws. Pure. */
export function readQuery(message: Buffer): Query | Unreadable | undefined {
  if (message.length < headerBytes) return undefined
  const id = message.readUInt16BE(0)
  const word = message.readUInt16BE(2)
  if ((word & flags.response) !== 0) return undefined
  const opcode = (word >> 11) & 0xf
  if (opcode !== 0) return { id, opcode, rcode: rcodes.notImp }
  const places = walkMessage(message)
  if (places === undefined) return { id, opcode, rcode: rcodes.formErr }
  const question = Buffer.from(message.subarray(headerBytes, places.questionEnd))
  const name = nameOf(question)
  if (name === undefined) return { id, opcode, rcode: rcodes.formErr }
  const opt = optOf(places)
  return {
    id,
    opcode,
    copied: word & (flags.wanted | flags.unchecked),
    question,
    name,
    type: question.readUInt16BE(question.length - 4),
    class: question.readUInt16BE(question.length - 2),
    ...(opt === undefined ? {} : { edns: { udpBytes: opt.class, version: (opt.ttl >> 16) & 0xff, dnssec: (opt.ttl & doBit) !== 0 } }),
  }
}

/** A question's name stands alone: a pointer in it leads nowhere. */
function nameOf(question: Buffer): string | undefined {
  try {
    const name = decodeName(lowerCase(question), 0)
    return name === '.' ? '' : name
  } catch {
    return undefined
  }
}

export const isIn = (query: Query): boolean => query.class === classIn
