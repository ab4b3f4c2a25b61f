import { CelBudgetError, CelEvaluationError } from '../cel-error.ts'
import type { Value } from '../values/value.ts'
import type { Meter } from './meter.ts'

/** One evaluation: the values of variables by their slot, and what may be spent. */
export interface Frame {
  readonly slots: Value[]
  readonly meter: Meter
  /** Reads a declared variable, once. */
  readonly variable: (name: string) => Value
}

export type Step = (frame: Frame) => Value

/** Where the variables of macros are kept while their bodies are planned. */
export interface Scope {
  readonly names: readonly string[]
}

/** An error of the evaluation, which another operand may make meaningless. Anything else ends the evaluation. */
export function absorbable(error: unknown): unknown {
  if (error instanceof CelBudgetError || !(error instanceof CelEvaluationError)) throw error
  return error
}
