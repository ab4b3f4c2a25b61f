import { ApiError } from '../errors/api-error.ts'
import { locateInJson } from './locate-json.ts'
import {
  defaultMaxDepth,
  forbiddenKey,
  hugeNumber,
  inexactNumber,
  maxDuplicates,
  type Parsed,
  type ParseOptions,
  textOf,
  tooDeep,
} from './parse-limits.ts'
import { countPairs, scanJson } from './scan-json.ts'

function nativeParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ApiError('BadRequest', `the request body is not valid JSON: ${(cause as Error).message}`, undefined, { cause })
  }
}

const mayHoldProto = (text: string): boolean => text.includes('__proto__') || /\\u005f/i.test(text)

/** Literals beyond the range of a double become Infinity, which JSON would write as null. */
const mayOverflow = (text: string): boolean => /\d[eE]\+?\d{3}/.test(text)

function refuseInfinite(value: unknown): void {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) throw hugeNumber()
  if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) refuseInfinite(child)
}

function refuseProto(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value) && Object.hasOwn(value, '__proto__')) throw forbiddenKey('__proto__')
  for (const child of Object.values(value)) refuseProto(child)
}

/**
 * Reads a JSON body. What is valid and what it means is decided by JSON.parse; beside it one linear scan of the text
 * finds out whether keys are repeated, how deep it is, and whether a number might lose digits.
 *
 * - Repeated keys: the last one wins, and each is reported with its path.
 * - Integers beyond 2^53 are refused (BadRequest), never rounded. No field of Kubernetes needs them as numbers.
 *   So are numbers beyond the range of a double.
 * - The key `__proto__` is refused; `constructor` and the like become plain own properties.
 *
 * Throws ApiError BadRequest, or RequestEntityTooLarge.
 */
export function parseJson(body: string | Uint8Array, options: ParseOptions = {}): Parsed {
  const text = textOf(body, options)
  const maxDepth = options.maxDepth ?? defaultMaxDepth
  const scan = scanJson(text)
  if (scan.depth > maxDepth) throw tooDeep(maxDepth)
  const value = nativeParse(text)
  if (mayHoldProto(text)) refuseProto(value)
  if (scan.longNumber || mayOverflow(text)) refuseInfinite(value)
  const repeated = options.duplicates !== false && scan.pairs !== countPairs(value)
  const duplicates: string[] = []
  if (repeated || scan.longNumber)
    locateInJson(text, {
      duplicate: (path) => {
        if (repeated && duplicates.length < maxDuplicates) duplicates.push(`duplicate field ${JSON.stringify(path)}`)
      },
      integer: (literal) => {
        if (!Number.isSafeInteger(Number(literal))) throw inexactNumber(literal)
      },
    })
  return { value, duplicates }
}
