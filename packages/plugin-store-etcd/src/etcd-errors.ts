import { StoreError, type StoreErrorCode } from '@continuo/core'
import { status } from '@grpc/grpc-js'

/** How a call of gRPC ended without an answer. */
export interface CallFailure {
  readonly code: number
  readonly details: string
  /** It was given up by us because nothing came. */
  readonly timedOut: boolean
}

/** Whether it is known that a call which failed changed nothing. */
export type Effect = 'read' | 'write'

export interface Verdict {
  readonly error: StoreError
  /** The fault lies with the member or the way to it: another one is to be asked. */
  readonly memberLost: boolean
}

interface Saying {
  /** In etcd's words, which are part of its API (api/v3rpc/rpctypes/error.go). */
  readonly pattern: RegExp
  readonly code: StoreErrorCode
  readonly hint?: string
  readonly memberLost?: true
}

/** What etcd says when it surely did nothing. All else leaves open whether a write was applied. */
const sayings: readonly Saying[] = [
  { pattern: /required revision has been compacted/, code: 'STORE_COMPACTED' },
  { pattern: /required revision is a future revision/, code: 'STORE_FUTURE_REVISION' },
  { pattern: /request is too large/, code: 'STORE_TOO_LARGE', hint: 'Raise --max-request-bytes of etcd, or store less in one object.' },
  { pattern: /too many operations in txn/, code: 'STORE_TOO_LARGE', hint: 'Raise --max-txn-ops of etcd to 128.' },
  { pattern: /duplicate key given/, code: 'STORE_INVALID' },
  { pattern: /too many requests/, code: 'STORE_UNAVAILABLE', hint: 'etcd applies more slowly than it is written to.' },
  { pattern: /no leader/, code: 'STORE_UNAVAILABLE', hint: 'Most members of etcd must run and reach each other.', memberLost: true },
  {
    pattern: /permission denied|user name is empty|invalid auth token/,
    code: 'STORE_UNAVAILABLE',
    hint: 'Grant the client certificate its prefix.',
  },
  { pattern: /corrupt cluster/, code: 'STORE_CORRUPT', hint: 'Restore a snapshot into a new etcd.' },
  // Of the client, before anything was sent.
  { pattern: /^No connection established|^Name resolution failed/, code: 'STORE_UNAVAILABLE', memberLost: true },
]

/** etcd answers so whether or not it has just applied the write that filled it. */
const spaceExceeded = /database space exceeded/

/** Decides what a failed call means. A write whose fate nobody knows is `STORE_OUTCOME_UNKNOWN`. */
export function judge({ code, details, timedOut }: CallFailure, effect: Effect, endpoint: string): Verdict {
  const saying = timedOut ? undefined : sayings.find(({ pattern }) => pattern.test(details))
  if (saying !== undefined) {
    const { hint, memberLost = false } = saying
    return { error: new StoreError(saying.code, `etcd ${endpoint}: ${details}`, hint === undefined ? {} : { hint }), memberLost }
  }
  const unsure = effect === 'write' && code !== status.UNAUTHENTICATED && code !== status.UNIMPLEMENTED
  const what = timedOut ? 'did not answer in time' : `failed: ${details}`
  const full = spaceExceeded.test(details)
  const hint = full ? 'Compact and defragment etcd, or raise --quota-backend-bytes; then disarm its alarm.' : undefined
  return {
    error: new StoreError(
      unsure ? 'STORE_OUTCOME_UNKNOWN' : 'STORE_UNAVAILABLE',
      `etcd ${endpoint} ${what}`,
      hint === undefined ? {} : { hint },
    ),
    memberLost: !full && code !== status.INVALID_ARGUMENT && code !== status.UNAUTHENTICATED,
  }
}

export const closedError = (): StoreError => new StoreError('STORE_CLOSED', 'the store is closed')
