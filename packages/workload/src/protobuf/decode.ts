import type { Reader } from 'protobufjs'
import { jsonFormOf } from './json-forms.ts'
import { knownMessage, type Message, type MessageField, type Scalar } from './message.ts'

/** Messages in messages, beyond which a body is refused: schemas may hold schemas without end. */
const maxDepth = 512

/** Reads one message up to `end` and returns its JSON value; undefined when that is absent (the zero time). Throws on malformed bytes. */
export function decodeMessage(reader: Reader, end: number, message: Message, depth = 0): unknown {
  if (depth > maxDepth) throw new RangeError(`it is nested more than ${maxDepth} messages deep`)
  const form = jsonFormOf(message.name)
  const fields: Record<string, unknown> = {}
  while (reader.pos < end) {
    const tag = reader.uint32()
    const field = message.byNumber.get(tag >>> 3)
    if (field === undefined) reader.skipType(tag & 7)
    else decodeField(reader, field, { into: fields, raw: form !== undefined, depth })
  }
  if (reader.pos > end) throw new RangeError('a message ends behind its length')
  return form === undefined ? fields : form.toJson(fields)
}

interface Destination {
  readonly into: Record<string, unknown>
  /** Values stay as the wire has them. */
  readonly raw: boolean
  readonly depth: number
}

function decodeField(reader: Reader, field: MessageField, { into, raw, depth }: Destination): void {
  if (field.label === 'map') {
    const [key, value] = decodeEntry(reader, field, depth)
    const map = (into[field.name] as Record<string, unknown> | undefined) ?? {}
    into[field.name] = map
    // Keys come from clients; one of them must not become the map's prototype.
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
    return
  }
  const value = decodeValue(reader, field, depth)
  if (value === undefined) return
  if (field.label === 'repeated') {
    const list = (into[field.name] as unknown[] | undefined) ?? []
    list.push(value)
    into[field.name] = list
  } else if (field.inline) Object.assign(into, value)
  else if (raw || field.keepsZero || field.isMessage || !isZero(value))
    into[field.name] = raw || !(value instanceof Uint8Array) ? value : base64(value)
}

const isZero = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (value instanceof Uint8Array && value.length === 0)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

function decodeEntry(reader: Reader, field: MessageField, depth: number): [string, unknown] {
  const end = reader.uint32() + reader.pos
  let key = ''
  let value: unknown
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) key = reader.string()
    else if (tag >>> 3 === 2) value = decodeValue(reader, field, depth)
    else reader.skipType(tag & 7)
  }
  // The zero of a type without zero (a time) is null where a key says that it is there.
  if (value === undefined) value = field.isMessage ? (jsonFormOf(field.type) === undefined ? {} : null) : ''
  return [key, value instanceof Uint8Array ? base64(value) : value]
}

function decodeValue(reader: Reader, field: MessageField, depth: number): unknown {
  if (!field.isMessage) return decodeScalar(reader, field.type as Scalar)
  const length = reader.uint32()
  const end = reader.pos + length
  if (end > reader.len) throw new RangeError(`${field.name} is longer than the body`)
  return decodeMessage(reader, end, knownMessage(field.type), depth + 1)
}

function decodeScalar(reader: Reader, type: Scalar): unknown {
  switch (type) {
    case 's':
      return reader.string()
    case 'b':
      return reader.bool()
    case 'i':
      return reader.int32()
    case 'l':
      return Number(reader.int64())
    case 'd':
      return reader.double()
    case 'y':
      return reader.bytes()
  }
}
