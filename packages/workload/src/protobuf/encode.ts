import type { Writer } from 'protobufjs'
import { jsonFormOf } from './json-forms.ts'
import { knownMessage, type Message, type MessageField, type Scalar } from './message.ts'

const lengthDelimited = 2
const wireTypes: Readonly<Record<Scalar, number>> = { s: lengthDelimited, y: lengthDelimited, b: 0, i: 0, l: 0, d: 1 }

/** Writes the fields of a JSON value; what the message does not know is left out. */
export function encodeMessage(writer: Writer, json: unknown, message: Message): void {
  const form = jsonFormOf(message.name)
  const fields = (form === undefined ? json : form.toWire(json)) as Record<string, unknown>
  for (const field of message.fields) {
    const value = field.inline ? inlinePart(fields, knownMessage(field.type)) : fields[field.name]
    if (value === undefined || value === null) continue
    if (field.label === 'repeated') for (const item of value as unknown[]) encodeValue(writer, field, item)
    else if (field.label === 'map') for (const [key, item] of Object.entries(value)) encodeEntry(writer, field, key, item)
    else encodeValue(writer, field, value)
  }
}

/** The members of the parent that belong to an inlined message; undefined when there are none. */
function inlinePart(fields: Record<string, unknown>, message: Message): unknown {
  const has = (candidate: Message): boolean =>
    candidate.fields.some((field) => (field.inline ? has(knownMessage(field.type)) : fields[field.name] !== undefined))
  return has(message) ? fields : undefined
}

function encodeEntry(writer: Writer, field: MessageField, key: string, value: unknown): void {
  writer.uint32((field.number << 3) | lengthDelimited).fork()
  writer.uint32((1 << 3) | lengthDelimited).string(key)
  if (value !== null) encodeValue(writer, { ...field, number: 2 }, value)
  writer.ldelim()
}

function encodeValue(writer: Writer, field: MessageField, value: unknown): void {
  if (field.isMessage) {
    writer.uint32((field.number << 3) | lengthDelimited).fork()
    encodeMessage(writer, value, knownMessage(field.type))
    writer.ldelim()
    return
  }
  const type = field.type as Scalar
  writer.uint32((field.number << 3) | wireTypes[type])
  switch (type) {
    case 's':
      return void writer.string(String(value))
    case 'b':
      return void writer.bool(value === true)
    case 'i':
      return void writer.int32(Number(value))
    case 'l':
      return void writer.int64(Number(value))
    case 'd':
      return void writer.double(Number(value))
    case 'y':
      return void writer.bytes(value instanceof Uint8Array ? value : Buffer.from(String(value), 'base64'))
  }
}
