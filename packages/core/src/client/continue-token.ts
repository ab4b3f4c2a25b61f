import { ApiError } from '../errors/api-error.ts'

/** Where a list in pages goes on. */
export interface ContinueToken {
  /** Revision that all pages show; `undefined` for a list that goes on at whatever is current. */
  readonly revision: number | undefined
  /** First storage key of the next page. */
  readonly startKey: string
}

/** Opaque to clients; only the part of the key below the collection's prefix is told. */
export function encodeContinue(token: ContinueToken, prefix: string): string {
  const body = { v: 'continuo/1', rv: token.revision ?? -1, start: token.startKey.slice(prefix.length) }
  return Buffer.from(JSON.stringify(body)).toString('base64url')
}

/** Throws 400 for what is no token, and for one that would leave its collection. */
export function decodeContinue(text: string, prefix: string): ContinueToken {
  let body: unknown
  try {
    body = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (cause) {
    throw refuse('not encoded as one', cause)
  }
  if (typeof body !== 'object' || body === null) throw refuse('not an object')
  const { v, rv, start } = body as Record<string, unknown>
  if (v !== 'continuo/1') throw refuse('of another version')
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < -1 || rv === 0) throw refuse('without a version')
  if (typeof start !== 'string' || start === '' || start.split('/').includes('..')) throw refuse('without a place to go on')
  return { revision: rv === -1 ? undefined : rv, startKey: `${prefix}${start}` }
}

const refuse = (why: string, cause?: unknown): ApiError =>
  new ApiError('BadRequest', `continue key is not valid: ${why}`, undefined, { cause })
