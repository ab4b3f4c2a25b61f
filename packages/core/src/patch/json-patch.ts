import jsonPatch from 'fast-json-patch'
import { ApiError } from '../errors/api-error.ts'
import { cloneJson, isRecord } from '../schema/json-value.ts'

const maxOperations = 10_000
const maxCopiedBytes = 3 * 1024 * 1024

type Operation = jsonPatch.Operation

const rejected = (detail: string, cause?: unknown): ApiError =>
  new ApiError('Invalid', `the server rejected our request due to an error in our request: ${detail}`, undefined, { cause })

const segmentsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))

const arrayIndex = /^(0|[1-9]\d*)$/

function own(parent: unknown, segment: string): { readonly value: unknown } | undefined {
  if (Array.isArray(parent)) {
    const index = arrayIndex.test(segment) ? Number(segment) : -1
    return index >= 0 && index < parent.length ? { value: parent[index] } : undefined
  }
  return isRecord(parent) && Object.hasOwn(parent, segment) ? { value: parent[segment] } : undefined
}

/**
 * The value that a pointer names, through own properties only: a pointer such as `/toString/x`
 * must not reach what every object inherits.
 */
function find(document: unknown, segments: readonly string[]): { readonly value: unknown } | undefined {
  let found: { readonly value: unknown } | undefined = { value: document }
  for (const segment of segments) {
    found = own(found.value, segment)
    if (found === undefined) return undefined
  }
  return found
}

function checkForm(operation: unknown, index: number): Operation {
  const refuse = (detail: string): ApiError => new ApiError('BadRequest', `error decoding patch: operation ${index}: ${detail}`)
  if (!isRecord(operation)) throw refuse('must be an object')
  const { op, path, from } = operation
  if (typeof op !== 'string' || !['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op))
    throw refuse(`unknown op ${JSON.stringify(op)}`)
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw refuse('path must be a JSON pointer')
  if ((op === 'move' || op === 'copy') && (typeof from !== 'string' || (from !== '' && !from.startsWith('/'))))
    throw refuse('from must be a JSON pointer')
  if ((op === 'add' || op === 'replace' || op === 'test') && !Object.hasOwn(operation, 'value')) throw refuse('value is missing')
  return cloneJson(operation) as unknown as Operation
}

function checkPaths(document: unknown, operation: Operation): void {
  const segments = segmentsOf(operation.path)
  const needsTarget = operation.op === 'remove' || operation.op === 'replace' || operation.op === 'test'
  if (segments.includes('__proto__'))
    throw rejected(`${operation.op} operation does not apply: path ${JSON.stringify(operation.path)} is not allowed`)
  const parent = find(document, needsTarget ? segments : segments.slice(0, -1))
  if (parent === undefined)
    throw rejected(`${operation.op} operation does not apply: doc is missing path: ${JSON.stringify(operation.path)}: missing value`)
  const last = segments.at(-1)
  if (
    !needsTarget &&
    last !== undefined &&
    Array.isArray(parent.value) &&
    last !== '-' &&
    !(arrayIndex.test(last) && Number(last) <= parent.value.length)
  )
    throw rejected(`${operation.op} operation does not apply: Unable to access invalid index: ${last}`)
  if ((operation.op === 'move' || operation.op === 'copy') && find(document, segmentsOf(operation.from)) === undefined)
    throw rejected(`${operation.op} operation does not apply: doc is missing from path: ${JSON.stringify(operation.from)}: missing value`)
  // RFC 6902, 4.4: it would become a part of itself.
  if (operation.op === 'move' && operation.path !== operation.from && operation.path.startsWith(`${operation.from}/`))
    throw rejected(`move operation does not apply: ${JSON.stringify(operation.from)} cannot be moved below itself`)
}

/**
 * Applies an RFC 6902 patch to a copy of the value.
 * Throws BadRequest when the patch is no patch, RequestEntityTooLarge for more than 10,000 operations or when its copies
 * add up to more than 3 MiB, and Invalid (422) when an operation does not apply or a test fails.
 */
export function applyJsonPatch(current: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new ApiError('BadRequest', 'error decoding patch: a JSON patch must be an array of operations')
  if (patch.length > maxOperations)
    throw new ApiError('RequestEntityTooLarge', `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  const operations = patch.map(checkForm)
  let document: unknown = cloneJson(current)
  let copied = 0
  for (const operation of operations) {
    checkPaths(document, operation)
    if (operation.op === 'copy') {
      copied += JSON.stringify(find(document, segmentsOf(operation.from))?.value)?.length ?? 0
      if (copied > maxCopiedBytes)
        throw new ApiError(
          'RequestEntityTooLarge',
          `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${maxCopiedBytes}`,
        )
    }
    try {
      document = jsonPatch.applyOperation(document, operation, true, true, true).newDocument
    } catch (cause) {
      const name = (cause as { name?: string }).name ?? ''
      throw rejected(
        name === 'TEST_OPERATION_FAILED'
          ? `testing path ${JSON.stringify(operation.path)} value failed`
          : `${operation.op} operation does not apply to ${JSON.stringify(operation.path)}: ${name.toLowerCase().replaceAll('_', ' ')}`,
        cause,
      )
    }
  }
  return document
}
