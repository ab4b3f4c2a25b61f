import { createRequire } from 'node:module'
import { ContinuoError, type UnstructuredObject } from '@continuo/core'
import type { Reader, Writer } from 'protobufjs'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { knownMessage, messageOfKind } from './message.ts'

/** The four bytes before every protobuf body of Kubernetes. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0x00)
const unknownEnvelope = 'k8s.io.apimachinery.pkg.runtime.Unknown'
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The media type of these bodies. */
export const protobufMediaType = 'application/vnd.kubernetes.protobuf'

export interface DecodedProtobuf {
  readonly apiVersion: string
  readonly kind: string
  /** The object as its JSON form, apiVersion and kind included. */
  readonly value: UnstructuredObject
}

// Loaded when the first body arrives: most processes never see one, and it costs more than the rest of this package.
const protobuf = (): { Reader: typeof Reader; Writer: typeof Writer } => createRequire(import.meta.url)('protobufjs/minimal')

/**
 * Reads a body of type `application/vnd.kubernetes.protobuf`: the magic bytes, then a `runtime.Unknown` that names the kind.
 * Zeros that JSON would leave out are left out. `expected` stands in where the envelope names no kind. Throws `PROTOBUF_INVALID` for malformed bytes, `PROTOBUF_UNKNOWN_KIND` for a kind
 * that has no protobuf form (custom resources).
 */
export function decodeProtobuf(body: Uint8Array, expected?: { readonly apiVersion: string; readonly kind: string }): DecodedProtobuf {
  if (body.length < magic.length || magic.some((byte, index) => body[index] !== byte))
    throw new ContinuoError('PROTOBUF_INVALID', 'the body does not begin with the four bytes of a Kubernetes protobuf object', {
      hint: 'send JSON, or prefix the message with "k8s\\0"',
    })
  const { typeMeta, raw, contentType } = readMessage(body.subarray(magic.length), unknownEnvelope) as {
    typeMeta?: { apiVersion?: string; kind?: string }
    raw?: string
    contentType?: string
  }
  const apiVersion = typeMeta?.apiVersion || (expected?.apiVersion ?? '')
  const kind = typeMeta?.kind || (expected?.kind ?? '')
  const content = Buffer.from(raw ?? '', 'base64')
  if (contentType === 'application/json') return { apiVersion, kind, value: parseContent(content) }
  const message = messageOfKind(apiVersion, kind)
  if (message === undefined)
    throw new ContinuoError(
      'PROTOBUF_UNKNOWN_KIND',
      `no protobuf form is known for ${kind || 'an object without a kind'} of ${apiVersion || 'no version'}`,
      { hint: 'send it as JSON' },
    )
  return { apiVersion, kind, value: { ...(readMessage(content, message.name) as UnstructuredObject), apiVersion, kind } }
}

function readMessage(bytes: Uint8Array, name: string): unknown {
  try {
    const reader = protobuf().Reader.create(bytes)
    return decodeMessage(reader, bytes.length, knownMessage(name))
  } catch (cause) {
    throw new ContinuoError(
      'PROTOBUF_INVALID',
      `the body is no valid ${name.slice(name.lastIndexOf('.') + 1)} message: ${(cause as Error).message}`,
      { cause },
    )
  }
}

function parseContent(content: Uint8Array): UnstructuredObject {
  try {
    return JSON.parse(decoder.decode(content))
  } catch (cause) {
    throw new ContinuoError('PROTOBUF_INVALID', 'the body wraps JSON that cannot be read', { cause })
  }
}

/** True when objects of a kind have a protobuf form; those of custom resources have none. */
export const hasProtobufForm = (apiVersion: string, kind: string): boolean => messageOfKind(apiVersion, kind) !== undefined

/** Writes an object as {@link decodeProtobuf} reads it. Fields that the kind's message does not know are left out. Throws `PROTOBUF_UNKNOWN_KIND`. */
export function encodeProtobuf(object: KindedObject): Uint8Array {
  const content = encodeProtobufContent(object)
  return Buffer.concat([...envelope(object.apiVersion, object.kind, content.length), content, endOfEnvelope])
}

interface KindedObject {
  readonly apiVersion: string
  readonly kind: string
}

/** The message of an object alone, without the envelope that says what it is. Throws `PROTOBUF_UNKNOWN_KIND`. */
export function encodeProtobufContent(object: KindedObject): Uint8Array {
  const { apiVersion, kind } = object
  const message = messageOfKind(apiVersion, kind)
  if (message === undefined)
    throw new ContinuoError('PROTOBUF_UNKNOWN_KIND', `no protobuf form is known for ${kind} of ${apiVersion}`, { hint: 'send it as JSON' })
  const content = protobuf().Writer.create()
  encodeMessage(content, object, message)
  return content.finish()
}

/** Tags of the fields of length-delimited messages, by their number. */
const tag = (field: number): number => (field << 3) | 2
/** `contentEncoding` and `contentType`, both empty: the content is protobuf. */
const endOfEnvelope = Uint8Array.of(tag(3), 0, tag(4), 0)

/** Everything that stands before the content of an object. */
function envelope(apiVersion: string, kind: string, length: number): readonly Uint8Array[] {
  const { Writer } = protobuf()
  const typeMeta = Writer.create().uint32(tag(1)).string(apiVersion).uint32(tag(2)).string(kind).finish()
  return [magic, Writer.create().uint32(tag(1)).bytes(typeMeta).uint32(tag(2)).uint32(length).finish()]
}

/**
 * A list of objects in pieces that make one body: `items` are their contents, as {@link encodeProtobufContent} writes them.
 * All lists have their metadata in the first field and their items in the second.
 */
export function encodeProtobufList(
  list: KindedObject & { readonly metadata: object },
  items: readonly Uint8Array[],
): readonly Uint8Array[] {
  const { Writer } = protobuf()
  const metadata = Writer.create()
  encodeMessage(metadata, list.metadata, knownMessage('k8s.io.apimachinery.pkg.apis.meta.v1.ListMeta'))
  const body = [Writer.create().uint32(tag(1)).bytes(metadata.finish()).finish()]
  for (const item of items) body.push(Writer.create().uint32(tag(2)).uint32(item.length).finish(), item)
  const length = body.reduce((sum, piece) => sum + piece.length, 0)
  return [...envelope(list.apiVersion, list.kind, length), ...body, endOfEnvelope]
}

/**
 * One event of a watch as a frame of `application/vnd.kubernetes.protobuf;stream=watch`: four bytes of length, then a
 * `WatchEvent` without an envelope of its own, around an object with one.
 */
export function encodeProtobufEvent(type: string, object: Uint8Array): Uint8Array {
  const { Writer } = protobuf()
  const raw = Writer.create().uint32(tag(1)).bytes(object).finish()
  const event = Writer.create().uint32(tag(1)).string(type).uint32(tag(2)).bytes(raw).finish()
  const frame = Buffer.allocUnsafe(4 + event.length)
  frame.writeUInt32BE(event.length)
  frame.set(event, 4)
  return frame
}
