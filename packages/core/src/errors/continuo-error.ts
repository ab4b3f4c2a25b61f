const brand = Symbol.for('continuo/error')

export interface ErrorOptions {
  /** What the reader can do about it: one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * Base of every error that Continuo throws on purpose. `code` is stable and listed in the package's error table;
 * the message says what failed, on which object, with the value; the hint says what to do.
 * Recognised by a brand, never by `instanceof`, because two copies of core may meet in one process.
 */
export class ContinuoError extends Error {
  readonly code: string
  readonly hint?: string
  readonly [brand] = true

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.hint = options.hint
  }
}

export const isContinuoError = (value: unknown): value is ContinuoError =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
