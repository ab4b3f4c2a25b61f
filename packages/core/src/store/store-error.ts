import { ContinuoError, type ErrorOptions } from '../errors/continuo-error.ts'

/** Codes of {@link StoreError}; the object client maps each to one ApiError. `STORE_INVALID`: the call itself breaks the contract (an empty key, two writes of one key). */
export type StoreErrorCode =
  | 'STORE_UNAVAILABLE'
  | 'STORE_OUTCOME_UNKNOWN'
  | 'STORE_COMPACTED'
  | 'STORE_FUTURE_REVISION'
  | 'STORE_TOO_LARGE'
  | 'STORE_SLOW_CONSUMER'
  | 'STORE_CLOSED'
  | 'STORE_CORRUPT'
  | 'STORE_LOCKED'
  | 'STORE_FORMAT'
  | 'STORE_INVALID'

const brand = Symbol.for('continuo/store-error')

export class StoreError extends ContinuoError {
  declare readonly code: StoreErrorCode
  readonly [brand] = true

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

export const isStoreError = (value: unknown, ...codes: StoreErrorCode[]): value is StoreError =>
  typeof value === 'object' &&
  value !== null &&
  (value as Record<symbol, unknown>)[brand] === true &&
  (codes.length === 0 || codes.includes((value as StoreError).code))
