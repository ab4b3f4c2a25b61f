import packet from 'dns-packet'

/** Response codes that this server gives or reads (RFC 1035, RFC 6891). */
export const rcodes = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5, badVers: 16 } as const

/** Numbers of record types that it treats on their own. */
export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, HINFO: 13, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const

export type RecordTypeName = Exclude<keyof typeof types, 'OPT' | 'ANY'>

/** Flags of the second header word. */
export const flags = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  wanted: 0x0100,
  available: 0x0080,
  unchecked: 0x0010,
} as const

export const classIn = 1
export const headerBytes = 12

/** One resource record; `data` as `dns-packet` takes it for the type. Names are in lower case, without a final dot. */
export interface ResourceRecord {
  readonly name: string
  readonly type: RecordTypeName
  readonly ttl: number
  readonly data: unknown
}

interface Codec {
  encode(data: unknown, buffer: Uint8Array, offset: number): Uint8Array
  encodingLength(data: unknown): number
}

/** Parts of `dns-packet` that its types leave out. */
const parts = packet as unknown as {
  record(type: string): Codec
  readonly name: { decode(buffer: Uint8Array, offset: number): string }
}

const codecs = Object.fromEntries(Object.keys(types).map((type) => [type, parts.record(type)])) as Readonly<Record<RecordTypeName, Codec>>

/** The codec of a type's data, which writes the length of the data before it. */
export const codecOf = (type: RecordTypeName): Codec => codecs[type]

/** Reads a name; compression pointers are followed backwards only, so it ends. Throws on anything malformed. */
export const decodeName = (buffer: Uint8Array, offset: number): string => parts.name.decode(buffer, offset)

const names = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const

/** A code as metrics name it. */
export const rcodeName = (rcode: number): string => (rcode === rcodes.badVers ? 'BADVERS' : (names[rcode] ?? `RCODE${rcode}`))
