import { ApiError, type Parsed, parseJson, parseYaml, type UnstructuredObject } from '@continuo/core'
import { isLargeYaml, type YamlThread } from './yaml-thread.ts'

/** A decoded body, with the paths of the repeated keys that its text had. */
export interface DecodedBody {
  readonly value: unknown
  readonly duplicates: readonly string[]
}

const sentence = 'duplicate field '

/** The parsers report repeated keys as sentences; the object service wants the paths in them. */
const withPaths = ({ value, duplicates }: Parsed): DecodedBody => ({
  value,
  duplicates: duplicates.map((text) => (text.startsWith(sentence) ? (JSON.parse(text.slice(sentence.length)) as string) : text)),
})

const protobuf = 'application/vnd.kubernetes.protobuf'
const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'

export const mediaTypeOf = (header: string | undefined): string => {
  if (header === undefined) return ''
  const semicolon = header.indexOf(';')
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase()
}

/** What bodies are decoded with. */
export interface Decoding {
  readonly maxBytes: number
  /** Decodes Kubernetes' protobuf envelope; absent: such bodies are 415. Throws `ApiError` BadRequest. */
  readonly protobuf?: (bytes: Uint8Array) => unknown
  /** Reads large YAML without holding others up; absent: it is read on the spot. */
  readonly yaml?: Pick<YamlThread, 'parse'>
}

/** Decodes an object's or an options' body by its content type; none is JSON. Throws 400 and 415. */
export function decodeBody(bytes: Buffer, contentType: string | undefined, { maxBytes, protobuf: decode }: Decoding): DecodedBody {
  switch (mediaTypeOf(contentType)) {
    case '':
    case 'application/json':
      return withPaths(parseJson(bytes, { maxBytes }))
    case 'application/yaml':
    case 'text/yaml':
    case 'application/x-yaml':
      return withPaths(parseYaml(bytes, { maxBytes }))
    case decode === undefined ? undefined : protobuf:
      return { value: decode?.(bytes), duplicates: [] }
    default:
      throw new ApiError(
        'UnsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
      )
  }
}

const yamlTypes = new Set(['application/yaml', 'text/yaml', 'application/x-yaml'])

/** As {@link decodeBody}, and large YAML in a thread of its own. */
export async function decodeAnyBody(bytes: Buffer, contentType: string | undefined, decoding: Decoding): Promise<DecodedBody> {
  if (decoding.yaml !== undefined && yamlTypes.has(mediaTypeOf(contentType)) && isLargeYaml(bytes))
    return withPaths(await decoding.yaml.parse(bytes, decoding.maxBytes))
  return decodeBody(bytes, contentType, decoding)
}

/** The body of a write, which must be an object; everything else about it is the object service's business. */
export function asObject(value: unknown, kind: string): UnstructuredObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as UnstructuredObject
  throw new ApiError(
    'BadRequest',
    `the request body must be an object of kind ${kind}, not ${Array.isArray(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`}`,
  )
}
