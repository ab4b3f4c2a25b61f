import { ContinuoError, type ErrorOptions } from '../errors/continuo-error.ts'

const brand = Symbol.for('continuo/terminal-error')

/** Thrown by a reconcile that cannot succeed until the object changes: it is reported and not retried. */
export class TerminalError extends ContinuoError {
  readonly [brand] = true

  constructor(message: string, options?: ErrorOptions) {
    super('RECONCILE_TERMINAL', message, options)
  }
}

export const isTerminalError = (value: unknown): value is TerminalError =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
