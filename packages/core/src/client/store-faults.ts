import { ApiError, isApiError, type StatusReason } from '../errors/api-error.ts'
import { isContinuoError } from '../errors/continuo-error.ts'
import { isStoreError, type StoreErrorCode } from '../store/store-error.ts'

interface Fault {
  readonly reason: StatusReason
  readonly message: string
  readonly retryAfterSeconds?: number
}

/** The one table from what a store says to what a client hears. */
export const storeFaults: Readonly<Record<StoreErrorCode, Fault>> = {
  STORE_UNAVAILABLE: { reason: 'ServiceUnavailable', message: 'the store cannot be reached; nothing was written', retryAfterSeconds: 1 },
  STORE_OUTCOME_UNKNOWN: {
    reason: 'Timeout',
    message: 'the store did not confirm the write; it may have happened: read the object before trying again',
  },
  STORE_COMPACTED: { reason: 'Expired', message: 'The resourceVersion for the provided list is too old.' },
  STORE_FUTURE_REVISION: { reason: 'Timeout', message: 'Too large resource version', retryAfterSeconds: 1 },
  STORE_TOO_LARGE: { reason: 'RequestEntityTooLarge', message: 'the object is larger than the store takes' },
  STORE_SLOW_CONSUMER: { reason: 'Expired', message: 'the reader fell too far behind' },
  STORE_CLOSED: { reason: 'ServiceUnavailable', message: 'the store is closed', retryAfterSeconds: 1 },
  STORE_CORRUPT: { reason: 'InternalError', message: 'the stored value cannot be read' },
  STORE_LOCKED: { reason: 'ServiceUnavailable', message: 'the store is in use by another process' },
  STORE_FORMAT: { reason: 'InternalError', message: 'the store has a format that this version does not know' },
  STORE_INVALID: { reason: 'InternalError', message: 'the store refused the call' },
}

/** Any error as an ApiError: those pass through, store errors go by {@link storeFaults}, a cache that lost its place is 410, all else is 500. */
export function toApiError(error: unknown): ApiError {
  if (isApiError(error)) return error
  if (isStoreError(error)) {
    const fault = storeFaults[error.code]
    const details = fault.retryAfterSeconds === undefined ? undefined : { retryAfterSeconds: fault.retryAfterSeconds }
    return new ApiError(fault.reason, fault.reason === 'Expired' ? fault.message : `${fault.message}: ${error.message}`, details, {
      cause: error,
    })
  }
  if (isContinuoError(error) && error.code === 'CACHE_BEHIND')
    return new ApiError('Expired', `too old resource version: ${error.message}`, undefined, { cause: error })
  if (typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'AbortError') {
    return new ApiError('Timeout', 'the request was aborted before it was answered', undefined, { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new ApiError('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, { cause: error })
}

/** Runs an operation and lets only ApiErrors out. */
export async function guarded<T>(operation: () => T | Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw toApiError(error)
  }
}
