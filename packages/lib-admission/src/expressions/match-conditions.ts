import { isContinuoError } from '@continuo/core'
import { type CelProgram, type CompileOptions, compileCel } from '@continuo/lib-cel'
import { Evaluation, matchConditionsBudget } from './evaluation.ts'

export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

export interface Matched {
  /** No condition is false. With an `error` nobody knows. */
  readonly matches: boolean
  readonly error?: string
}

/** An expression, compiled; or the error that is told whenever it is to be evaluated. */
export function compiled(expression: string, options: CompileOptions): CelProgram | Error {
  try {
    return compileCel(expression, options)
  } catch (error) {
    if (isContinuoError(error)) return error
    throw error
  }
}

/** The error of an expression, as Kubernetes tells it. */
export const expressionError = (expression: string, error: unknown): string =>
  `expression '${expression}' resulted in error: ${(error as Error).message}`

/** Conditions that must all hold. A false one decides, whatever else fails. */
export class MatchConditions {
  readonly #conditions: readonly { readonly expression: string; readonly program: CelProgram | Error }[]

  constructor(conditions: readonly MatchCondition[], options: CompileOptions) {
    this.#conditions = conditions.map(({ expression }) => ({ expression, program: compiled(expression, options) }))
  }

  get isEmpty(): boolean {
    return this.#conditions.length === 0
  }

  async evaluate(values: Readonly<Record<string, unknown>>): Promise<Matched> {
    const evaluation = new Evaluation(values, matchConditionsBudget)
    const errors: string[] = []
    for (const { expression, program } of this.#conditions) {
      if (program instanceof Error) {
        errors.push(expressionError(expression, program))
        continue
      }
      try {
        if ((await evaluation.run(program)) !== true) return { matches: false }
      } catch (error) {
        if (!isContinuoError(error)) throw error
        errors.push(expressionError(expression, error))
      }
    }
    if (errors.length === 0) return { matches: true }
    return { matches: true, error: errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]` }
  }
}
