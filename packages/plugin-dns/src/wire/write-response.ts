import { classIn, codecOf, flags, headerBytes, type ResourceRecord, types } from './protocol.ts'
import type { Query } from './read-query.ts'

export interface Response {
  readonly rcode: number
  readonly authoritative?: boolean
  readonly recursionAvailable?: boolean
  readonly answers?: readonly ResourceRecord[]
  readonly authority?: readonly ResourceRecord[]
  readonly additional?: readonly ResourceRecord[]
}

/** Bytes of an OPT record without options. */
export const optBytes = 11
const mostBytes = 65_535

/** Writes responses into one buffer that is used again; each result is a copy of its own. */
export class ResponseWriter {
  readonly #scratch = Buffer.allocUnsafe(mostBytes + 1)
  readonly #udpBytes: number

  /** @param udpBytes size of datagrams that this server takes, told to clients */
  constructor(udpBytes: number) {
    this.#udpBytes = udpBytes
  }

  /** The answer to a query. Answers that do not fit are left out and the client is told to ask over TCP; additional records just go. */
  write(query: Query, response: Response, limit: number): Buffer {
    const { rcode, answers = [], authority = [], additional = [] } = response
    const scratch = this.#scratch
    const room = Math.min(limit, mostBytes) - (query.edns === undefined ? 0 : optBytes)
    query.question.copy(scratch, headerBytes)
    let at = headerBytes + query.question.length
    const names = additional.length === 0 ? new Map([[query.name, headerBytes]]) : endsOf(query)
    let truncated = false
    const add = (records: readonly ResourceRecord[], optional: boolean): number => {
      let count = 0
      for (const record of records) {
        const next = truncated ? -1 : writeRecord(scratch, at, room, record, names)
        if (next === -1) {
          if (!optional) truncated = true
          break
        }
        at = next
        count++
      }
      return count
    }
    const counts = [add(answers, false), add(authority, false), add(additional, true)] as const
    if (query.edns !== undefined) at = writeOpt(scratch, at, this.#udpBytes, rcode, query.edns.dnssec)
    scratch.writeUInt16BE(query.id, 0)
    scratch.writeUInt16BE(
      flags.response |
        query.copied |
        (response.authoritative === true ? flags.authoritative : 0) |
        (response.recursionAvailable === true ? flags.available : 0) |
        (truncated ? flags.truncated : 0) |
        (rcode & 0xf),
      2,
    )
    scratch.writeUInt16BE(1, 4)
    scratch.writeUInt16BE(counts[0], 6)
    scratch.writeUInt16BE(counts[1], 8)
    scratch.writeUInt16BE(counts[2] + (query.edns === undefined ? 0 : 1), 10)
    return Buffer.from(scratch.subarray(0, at))
  }
}

/** A header alone, for a message whose question cannot be told. */
export function bareResponse(id: number, opcode: number, rcode: number): Buffer {
  const message = Buffer.alloc(headerBytes)
  message.writeUInt16BE(id, 0)
  message.writeUInt16BE(flags.response | (opcode << 11) | (rcode & 0xf), 2)
  return message
}

/** Where each end of the question's name stands. */
function endsOf({ name, question }: Query): Map<string, number> {
  const ends = new Map<string, number>()
  for (let rest = name, at = 0; rest !== ''; ) {
    const length = question[at] as number
    ends.set(rest, headerBytes + at)
    rest = rest.slice(length + 1)
    at += length + 1
  }
  return ends
}

/** Behind the OPT record. */
export function writeOpt(buffer: Buffer, at: number, udpBytes: number, rcode: number, dnssec: boolean): number {
  buffer[at] = 0
  buffer.writeUInt16BE(types.OPT, at + 1)
  buffer.writeUInt16BE(udpBytes, at + 3)
  buffer.writeUInt32BE((((rcode >> 4) << 24) | (dnssec ? 0x8000 : 0)) >>> 0, at + 5)
  buffer.writeUInt16BE(0, at + 9)
  return at + optBytes
}

/** Behind the record, or -1 when there is no room for it. */
function writeRecord(buffer: Buffer, start: number, room: number, record: ResourceRecord, names: Map<string, number>): number {
  const codec = codecOf(record.type)
  // An upper bound: only the end of a name may stand there already.
  const nameBytes = names.has(record.name) ? 2 : record.name.length + 2
  if (start + nameBytes + 8 + codec.encodingLength(record.data) > room) return -1
  const at = writeName(buffer, start, record.name, names)
  buffer.writeUInt16BE(types[record.type], at)
  buffer.writeUInt16BE(classIn, at + 2)
  buffer.writeUInt32BE(record.ttl, at + 4)
  codec.encode(record.data, buffer, at + 8)
  return at + 8 + codec.encodingLength(record.data)
}

/** Writes an owner name, its end as a pointer to where it stands already. */
function writeName(buffer: Buffer, start: number, name: string, names: Map<string, number>): number {
  let at = start
  for (let rest = name; rest !== ''; ) {
    const known = names.get(rest)
    if (known !== undefined) {
      buffer.writeUInt16BE(0xc000 | known, at)
      return at + 2
    }
    if (at < 0x4000) names.set(rest, at)
    const dot = rest.indexOf('.')
    const label = dot === -1 ? rest : rest.slice(0, dot)
    const length = buffer.write(label, at + 1)
    buffer[at] = length
    at += length + 1
    rest = dot === -1 ? '' : rest.slice(dot + 1)
  }
  buffer[at] = 0
  return at + 1
}
