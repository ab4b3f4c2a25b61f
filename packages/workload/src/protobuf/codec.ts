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

/** Writes an object as {@link decodeProtobuf} reads it. Fields that the kind's message does not know are left out. Throws `PROTOBUF_UNKNOWN_KIND`. */
export function encodeProtobuf(object: { readonly apiVersion: string; readonly kind: string }): Uint8Array {
  const { apiVersion, kind } = object
  const message = messageOfKind(apiVersion, kind)
  if (message === undefined)
    throw new ContinuoError('PROTOBUF_UNKNOWN_KIND', `no protobuf form is known for ${kind} of ${apiVersion}`, { hint: 'send it as JSON' })
  const { Writer } = protobuf()
  const content = Writer.create()
  encodeMessage(content, object, message)
  const envelope = Writer.create()
  encodeMessage(
    envelope,
    { typeMeta: { apiVersion, kind }, raw: content.finish(), contentEncoding: '', contentType: '' },
    knownMessage(unknownEnvelope),
  )
  return Buffer.concat([magic, envelope.finish()])
}
