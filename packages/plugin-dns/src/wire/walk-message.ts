import { headerBytes, types } from './protocol.ts'

/** Where a record of a message stands, without a look at its data. */
export interface RecordPlace {
  readonly section: 'answer' | 'authority' | 'additional'
  readonly start: number
  readonly type: number
  /** Of an OPT record: the size of datagrams that its sender takes. */
  readonly class: number
  readonly ttl: number
  readonly ttlAt: number
  readonly dataAt: number
  readonly end: number
}

export interface MessagePlaces {
  /** The end of the only question. */
  readonly questionEnd: number
  readonly records: readonly RecordPlace[]
}

/** Most records that are looked at: 64 KiB of the shortest ones that make sense are fewer. */
const mostRecords = 4_096

/** Where everything stands in a message with one question; nothing when it is malformed. Never throws, and steps forward only. */
export function walkMessage(message: Buffer): MessagePlaces | undefined {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return undefined
  const nameEnd = skipName(message, headerBytes)
  if (nameEnd === undefined || nameEnd + 4 > message.length) return undefined
  const counts = [message.readUInt16BE(6), message.readUInt16BE(8), message.readUInt16BE(10)] as const
  if (counts[0] + counts[1] + counts[2] > mostRecords) return undefined
  const records: RecordPlace[] = []
  let at = nameEnd + 4
  for (const [index, section] of (['answer', 'authority', 'additional'] as const).entries())
    for (let left = counts[index] as number; left > 0; left--) {
      const place = readPlace(message, at, section)
      if (place === undefined) return undefined
      records.push(place)
      at = place.end
    }
  return { questionEnd: nameEnd + 4, records }
}

function readPlace(message: Buffer, start: number, section: RecordPlace['section']): RecordPlace | undefined {
  const at = skipName(message, start)
  if (at === undefined || at + 10 > message.length) return undefined
  const end = at + 10 + message.readUInt16BE(at + 8)
  if (end > message.length) return undefined
  return {
    section,
    start,
    type: message.readUInt16BE(at),
    class: message.readUInt16BE(at + 2),
    ttl: message.readUInt32BE(at + 4),
    ttlAt: at + 4,
    dataAt: at + 10,
    end,
  }
}

/** Behind a name that starts here; a pointer ends it. */
function skipName(message: Buffer, start: number): number | undefined {
  for (let at = start; at < message.length; ) {
    const length = message[at] as number
    if (length === 0) return at + 1
    if (length >= 0xc0) return at + 2 <= message.length ? at + 2 : undefined
    if (length > 63) return undefined
    at += length + 1
  }
  return undefined
}

/** The OPT record (RFC 6891) of a message. */
export const optOf = (places: MessagePlaces): RecordPlace | undefined =>
  places.records.find(({ section, type }) => section === 'additional' && type === types.OPT)
