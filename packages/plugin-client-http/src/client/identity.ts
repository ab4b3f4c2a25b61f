import { ApiError, type Fence, type UserInfo } from '@continuo/core'
import { continuoHeaders, formatFence } from '@continuo/workload'

/** On whose behalf a client asks, beside its credentials. */
export interface Identity {
  readonly user?: UserInfo
  readonly fieldManager?: string
  readonly fence?: Fence
  readonly cause?: string
}

export type Headers = Readonly<Record<string, string | readonly string[]>>

/** Longest id of a decision that the API takes. */
const maxCause = 128

/** What an identity adds to each request. Pure. Throws 400 for what a header cannot carry. */
export function identityHeaders({ user, fence, cause }: Identity): Headers {
  return {
    ...(user === undefined ? {} : impersonationHeaders(user)),
    ...(fence === undefined ? {} : { [continuoHeaders.fence]: formatFence(fence) }),
    // Only helps to find out why something happened: no reason to refuse a request.
    ...(cause === undefined ? {} : { [continuoHeaders.cause]: cause.replace(/[^\x21-\x7e]/g, '?').slice(0, maxCause) }),
  }
}

/** Kubernetes' `Impersonate-*` headers. */
function impersonationHeaders({ username, uid, groups = [], extra = {} }: UserInfo): Headers {
  if (username === '') throw new ApiError('BadRequest', 'a user to act for needs a name')
  return {
    'impersonate-user': single(username, 'user'),
    ...(uid === undefined ? {} : { 'impersonate-uid': single(uid, 'uid') }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups.map((group) => oneOfMany(group, 'group')) }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `impersonate-extra-${encodeKey(key)}`,
        values.map((value) => oneOfMany(value, 'extra')),
      ]),
    ),
  }
}

/** Nothing that would end the header, or be trimmed from it and so name somebody else. */
function single(text: string, what: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) return text
  throw new ApiError('BadRequest', `the ${what} ${JSON.stringify(text)} cannot be impersonated: a header cannot carry it`)
}

/** Headers of one name are joined by a comma and a space on their way: a value that holds these would arrive as two. */
function oneOfMany(text: string, what: string): string {
  if (!/,\s/.test(text)) return single(text, what)
  throw new ApiError('BadRequest', `the ${what} ${JSON.stringify(text)} cannot be impersonated: it would arrive as several`)
}

/** Keys are part of a header's name, in which case is lost: all but lower-case letters, digits and `-._` is percent-encoded. */
const encodeKey = (key: string): string =>
  [...Buffer.from(key, 'utf8')]
    .map((byte) => (/[a-z0-9\-._]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`))
    .join('')
