import { ContinuoError, type ErrorOptions } from '@continuo/core'

export type RuntimeErrorCode =
  | 'RUNTIME_IMAGE_NOT_PRESENT'
  | 'RUNTIME_IMAGE_PULL'
  | 'RUNTIME_INVALID_SPEC'
  | 'RUNTIME_START_FAILED'
  | 'RUNTIME_NOT_FOUND'
  | 'RUNTIME_UNAVAILABLE'
  | 'RUNTIME_UNSUPPORTED'

const brand = Symbol.for('continuo/runtime-error')

/** The only error that a {@link Runtime} throws on purpose. */
export class RuntimeError extends ContinuoError {
  declare readonly code: RuntimeErrorCode
  readonly [brand] = true

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

export const isRuntimeError = (value: unknown, ...codes: RuntimeErrorCode[]): value is RuntimeError =>
  typeof value === 'object' &&
  value !== null &&
  (value as Record<symbol, unknown>)[brand] === true &&
  (codes.length === 0 || codes.includes((value as RuntimeError).code))
