import { type FieldError, fieldError, isContinuoError } from '@continuo/core'
import { type CelProgram, type CompileOptions, compileCel } from '@continuo/lib-cel'
import type { MatchCondition } from './match-conditions.ts'

/** Adds to `errors` what makes an expression unfit to be stored, in the words of Kubernetes. Gives back the program when nothing does. */
export function checkExpression(
  expression: string | undefined,
  options: CompileOptions,
  path: string,
  errors: FieldError[],
): CelProgram | undefined {
  // What is missing is for the kind's own validation to say.
  if (expression === undefined || expression.trim() === '') return undefined
  try {
    return compileCel(expression, options)
  } catch (error) {
    if (!isContinuoError(error)) throw error
    errors.push(fieldError.invalid(path, expression, `compilation failed: ${error.message}`))
    return undefined
  }
}

/** {@link checkExpression} for each of some match conditions. */
export function checkConditionExpressions(
  conditions: readonly MatchCondition[] | undefined,
  options: CompileOptions,
  path: string,
  errors: FieldError[],
): void {
  conditions?.forEach(({ expression }, index) => {
    checkExpression(expression, options, `${path}[${index}].expression`, errors)
  })
}
