import { createRequire } from 'node:module'
import type { Document, Tags } from 'yaml'
import { ApiError, isApiError } from '../errors/api-error.ts'
import { formatFieldPath, setOwn } from './json-value.ts'
import { parseJson } from './parse-json.ts'
import {
  defaultMaxDepth,
  forbiddenKey,
  inexactNumber,
  maxDuplicates,
  type Parsed,
  type ParseOptions,
  textOf,
  tooDeep,
} from './parse-limits.ts'

/** Loaded when the first YAML is read: half of all processes never see any. */
const loadYaml = (): typeof import('yaml') => createRequire(import.meta.url)('yaml')

const maxValues = 1_000_000
const maxAliases = 100
/** Tokens of one document. Parsing takes some 10 µs for each, all in one go: who has more to say says it in JSON. */
const maxTokens = 200_000

/** YAML 1.1 types that Kubernetes' parser reads as strings: times, base-60 numbers, and the collections that JSON lacks. */
const unwanted = new Set(['timestamp', 'intTime', 'floatTime', 'binary', 'omap', 'pairs', 'set'])

const keepTag = (tag: Tags[number]): boolean => {
  if (typeof tag === 'string') return !unwanted.has(tag)
  const name = tag.tag.replace('tag:yaml.org,2002:', '')
  return !unwanted.has(name) && !('format' in tag && (tag as { format?: string }).format === 'TIME')
}

/**
 * Looks at the tokens alone, in linear time, before anything is built: the parser takes quadratic time for what is nested deep.
 * Block sequences and keys nest within a line; nesting by indentation is bounded by the size of the text, for its lines grow.
 */
function checkTokens(yaml: typeof import('yaml'), text: string, maxDepth: number): void {
  let flow = 0
  let indicators = 0
  let count = 0
  for (const token of new yaml.Lexer().lex(text)) {
    if (++count > maxTokens)
      throw new ApiError('RequestEntityTooLarge', `the YAML document has more than ${maxTokens} tokens: send it as JSON`)
    if (token === '{' || token === '[') flow++
    else if (token === '}' || token === ']') flow--
    else if (token === '\n' || token === '\r\n') indicators = 0
    else if (flow === 0 && (token === '-' || token === '?' || token === ':')) indicators++
    if (flow > maxDepth || indicators > maxDepth) throw tooDeep(maxDepth)
  }
}

function findDuplicates(yaml: typeof import('yaml'), part: unknown, path: (string | number)[], found: string[], maxDepth: number): void {
  if (path.length > maxDepth) throw tooDeep(maxDepth)
  const { isMap, isScalar, isSeq } = yaml
  if (isSeq(part))
    for (const [i, item] of part.items.entries()) {
      path.push(i)
      findDuplicates(yaml, item, path, found, maxDepth)
      path.pop()
    }
  else if (isMap(part)) {
    const seen = new Set<string>()
    for (const { key, value } of part.items) {
      // Anything else would become its own text, which doubles with each level.
      if (key !== null && !isScalar(key)) throw new ApiError('BadRequest', 'the keys of a YAML mapping must be plain scalars')
      const name = key === null ? 'null' : String(key.value)
      path.push(name)
      if (name !== '<<' && seen.has(name) && found.length < maxDuplicates)
        found.push(`duplicate field ${JSON.stringify(formatFieldPath(path))}`)
      seen.add(name)
      findDuplicates(yaml, value, path, found, maxDepth)
      path.pop()
    }
  }
}

/** A plain JSON value: aliases become copies, integers become numbers. Bounded in size and depth. */
function plainJson(value: unknown, budget: { values: number }, depth: number): unknown {
  if (--budget.values < 0) throw new ApiError('BadRequest', `the YAML document expands to more than ${maxValues} values`)
  if (depth < 0) throw tooDeep(defaultMaxDepth)
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw inexactNumber(String(value))
    return number
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new ApiError('BadRequest', `the number ${value} has no JSON form`)
  if (typeof value !== 'object' || value === null) return value === undefined ? null : value
  if (Array.isArray(value)) return value.map((item) => plainJson(item, budget, depth - 1))
  const copy: Record<string, unknown> = {}
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__') throw forbiddenKey(key)
    setOwn(copy, key, plainJson(child, budget, depth - 1))
  }
  return copy
}

function toJs(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases })
  } catch (cause) {
    if (isApiError(cause)) throw cause
    throw new ApiError('BadRequest', `the request body is not valid YAML: ${(cause as Error).message}`, undefined, { cause })
  }
}

function readYaml(yaml: typeof import('yaml'), text: string): Document {
  const document = yaml.parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    intAsBigInt: true,
    stringKeys: false,
    strict: true,
    prettyErrors: false,
    logLevel: 'error',
    customTags: (tags) => tags.filter(keepTag),
  })
  const [error] = document.errors
  if (error !== undefined)
    throw new ApiError(
      'BadRequest',
      error.code === 'MULTIPLE_DOCS'
        ? 'the request body must be a single YAML document'
        : `the request body is not valid YAML: ${error.message.split('\n')[0]}`,
      undefined,
      { cause: error },
    )
  return document
}

/**
 * Reads a YAML body (1.1, as Kubernetes' clients do: `yes` is true and `0644` is octal), or JSON, which goes to {@link parseJson}.
 * The same promises hold: repeated keys are reported, integers are never rounded, `__proto__` is refused; aliases are limited and become copies.
 */
export function parseYaml(body: string | Uint8Array, options: ParseOptions = {}): Parsed {
  const text = textOf(body, options)
  if (/^\s*\{/.test(text)) {
    try {
      return parseJson(text, options)
    } catch (error) {
      // A flow mapping is YAML too; what JSON.parse refuses may still be that.
      if (!isApiError(error) || !(error.cause instanceof SyntaxError)) throw error
    }
  }
  const maxDepth = options.maxDepth ?? defaultMaxDepth
  const yaml = loadYaml()
  let document: Document
  try {
    checkTokens(yaml, text, maxDepth)
    document = readYaml(yaml, text)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(maxDepth)
    throw error
  }
  const duplicates: string[] = []
  findDuplicates(yaml, document.contents, [], duplicates, maxDepth)
  return {
    value: plainJson(toJs(document), { values: maxValues }, maxDepth + 1),
    duplicates: options.duplicates === false ? [] : duplicates,
  }
}
