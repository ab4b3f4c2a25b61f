import { ApiError } from '@continuo/core'
import { protobufMediaType } from '@continuo/workload'

/** One alternative of an Accept header. */
export interface MediaRange {
  readonly type: string
  readonly parameters: Readonly<Record<string, string>>
  readonly quality: number
}

/** The form in which an answer is wanted. */
export interface Wanted {
  readonly mediaType: 'application/json' | 'application/yaml' | typeof protobufMediaType
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** Version of the `meta.k8s.io` kind in `as`. */
  readonly version?: string
}

const json: Wanted = { mediaType: 'application/json' }
const maxCached = 256
const anything: readonly MediaRange[] = [{ type: '*/*', parameters: {}, quality: 1 }]

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';')
  const parameters: Record<string, string> = {}
  for (const parameter of rest) {
    const equals = parameter.indexOf('=')
    if (equals > 0)
      parameters[parameter.slice(0, equals).trim().toLowerCase()] = parameter
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1')
  }
  const quality = parameters.q === undefined ? 1 : Number.parseFloat(parameters.q)
  return { type: type.trim().toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 }
}

/** The alternatives of an Accept header, best first; equal ones in the order in which they stand. */
export function parseAccept(header: string | undefined): readonly MediaRange[] {
  if (header === undefined || header.trim() === '') return anything
  return header
    .slice(0, 4_096)
    .split(',')
    .map(parseRange)
    .filter((range) => range.quality > 0)
    .sort((a, b) => b.quality - a.quality)
}

const notAcceptable = (protobuf: boolean): ApiError =>
  new ApiError(
    'NotAcceptable',
    `only the following media types are accepted: application/json, application/yaml${protobuf ? `, ${protobufMediaType}` : ''}`,
  )

const transformOf = (range: MediaRange, list: boolean): Wanted['as'] | 'unknown' | undefined => {
  const { as, g: group, v: version } = range.parameters
  if (as === undefined) return undefined
  if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return 'unknown'
  if (as === 'Table') return as
  if (as === 'PartialObjectMetadata' && !list) return as
  if (as === 'PartialObjectMetadataList' && list) return as
  return 'unknown'
}

/** What an answer is: collections have metadata of another kind; watches yield single objects, and cannot be YAML. */
export type AnswerShape = 'object' | 'list' | 'watch'

/** Metadata alone can always be protobuf, and a table never. */
function choose(header: string | undefined, shape: AnswerShape, protobuf: boolean): Wanted {
  for (const range of parseAccept(header)) {
    const transform = transformOf(range, shape === 'list')
    if (transform === 'unknown') continue
    const version = transform === undefined ? {} : { as: transform, version: range.parameters.v as string }
    if (range.type === 'application/json' || range.type === '*/*' || range.type === 'application/*')
      return transform === undefined ? json : { mediaType: 'application/json', ...version }
    if (shape !== 'watch' && (range.type === 'application/yaml' || range.type === 'text/yaml'))
      return { mediaType: 'application/yaml', ...version }
    if (range.type === protobufMediaType && (transform === undefined ? protobuf : transform !== 'Table'))
      return { mediaType: protobufMediaType, ...version }
  }
  throw notAcceptable(protobuf)
}

const plainTypes = new Set(['*/*', 'application/*', 'application/json', 'application/yaml', protobufMediaType])

/** Throws 406 where a client takes nothing but other forms, such as tables, of what has one form only: documents of discovery. */
export function requirePlain(header: string | undefined): void {
  if (!parseAccept(header).some(({ type, parameters }) => plainTypes.has(type) && parameters.as === undefined)) throw notAcceptable(false)
}

/** The form of a `Status` for a client that got nothing else: protobuf where it comes first, else JSON. */
export function statusForm(header: string | undefined): Wanted {
  const first = parseAccept(header).find(({ type }) => type === protobufMediaType || /^(application|\*)\/(json|\*)$/.test(type))
  return first?.type === protobufMediaType ? { mediaType: protobufMediaType } : json
}

/** Chooses the form of answers by Accept headers, remembering the few that clients really send. */
export class Negotiator {
  readonly #chosen = new Map<string, Wanted>()

  /** Throws 406 when nothing that the header accepts can be had. `hasProtobuf` is asked only by a header that speaks of it. */
  choose(header: string | undefined, shape: AnswerShape, hasProtobuf: () => boolean): Wanted {
    if (header === undefined || header === 'application/json') return json
    const protobuf = header.includes(protobufMediaType) && hasProtobuf()
    const key = `${shape} ${protobuf} ${header}`
    const known = this.#chosen.get(key)
    if (known !== undefined) return known
    const wanted = choose(header, shape, protobuf)
    if (this.#chosen.size >= maxCached) this.#chosen.clear()
    this.#chosen.set(key, wanted)
    return wanted
  }
}
