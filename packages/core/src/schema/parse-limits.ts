import { ApiError } from '../errors/api-error.ts'

/** How much a body may ask of the parser. */
export interface ParseLimits {
  /** Levels of nesting. Default 500; Kubernetes allows 10,000, but no kind comes near either. */
  readonly maxDepth?: number
  /** Bytes of text. Default 3 MiB, as Kubernetes' limit of a request body. */
  readonly maxBytes?: number
}

/** What to look for beside the value. */
export interface ParseOptions extends ParseLimits {
  /** Whether repeated keys are looked for. Default true; the last one wins either way. */
  readonly duplicates?: boolean
}

/** A body as a JSON value. */
export interface Parsed {
  readonly value: unknown
  /** In the words of field validation: `duplicate field "spec.replicas"`. At most {@link maxDuplicates}. */
  readonly duplicates: readonly string[]
}

/** How many repeated keys are reported at most. */
export const maxDuplicates = 100

/** Levels of nesting that are allowed unless a caller says otherwise. */
export const defaultMaxDepth = 500
const defaultMaxBytes = 3 * 1024 * 1024

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The body as text, within the limits. Throws RequestEntityTooLarge, or BadRequest when it is no UTF-8. */
export function textOf(body: string | Uint8Array, limits: ParseLimits): string {
  const maxBytes = limits.maxBytes ?? defaultMaxBytes
  if (body.length > maxBytes) throw new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`)
  if (typeof body === 'string') return body
  try {
    return decoder.decode(body)
  } catch (cause) {
    throw new ApiError('BadRequest', 'the request body is not valid UTF-8', undefined, { cause })
  }
}

/** The answer to a body that is nested too deep. */
export const tooDeep = (maxDepth: number): ApiError =>
  new ApiError('BadRequest', `the request body is nested deeper than ${maxDepth} levels`)

/** The reason why a number is refused rather than rounded. */
export const inexactNumber = (literal: string): ApiError =>
  new ApiError(
    'BadRequest',
    `the integer ${literal.slice(0, 40)} cannot be represented exactly: integers must lie between -9007199254740991 and 9007199254740991`,
    undefined,
    {
      hint: 'Write it as a string where the field accepts one.',
    },
  )

/** The answer to a number that is no finite double. */
export const hugeNumber = (): ApiError => new ApiError('BadRequest', 'the request body holds a number beyond the range of a 64-bit float')

/** The answer to a body with a key that no object may have. */
export const forbiddenKey = (key: string): ApiError =>
  new ApiError('BadRequest', `the key ${JSON.stringify(key)} is not allowed in an object`)
