import { type DeepReadonly, isContinuoError } from '@continuo/core'
import { compiled, Evaluation, environment, expressionError, MatchConditions, policyBudget } from '@continuo/lib-admission'
import { CelBudgetError, type CelProgram, type CelType, type CompileOptions } from '@continuo/lib-cel'
import type { ValidatingAdmissionPolicy, Validation } from '@continuo/workload'
import { PolicyVariables } from '../policies/policy-variables.ts'

/** A validation that does not hold, or that could not be evaluated. */
export interface Failure {
  /** Position of the validation. */
  readonly index: number
  readonly message: string
  readonly reason: string
  /** Could not be evaluated: the failure policy decides what that means. */
  readonly isError: boolean
}

export interface Verdict {
  readonly failures: readonly Failure[]
  readonly auditAnnotations: readonly { readonly key: string; readonly value: string }[]
}

const maxMessageBytes = 5 * 1024
const passed: Verdict = { failures: [], auditAnnotations: [] }

/** What each kind of expression of a policy may name and must give. */
export interface PolicyEnvironments {
  readonly condition: CompileOptions
  readonly variable: (variables: CelType) => CompileOptions
  readonly validation: (variables: CelType) => CompileOptions
  readonly message: (variables: CelType) => CompileOptions
  readonly annotation: (variables: CelType) => CompileOptions
}

/** `types` say more than that objects are looked at as they come: for the check of types. */
export function policyEnvironments(
  hasParams: boolean,
  types: { readonly objectType?: CelType; readonly paramsType?: CelType } = {},
): PolicyEnvironments {
  const base = { hasParams, ...types }
  return {
    condition: environment({ ...base, hasAuthorizer: true, result: ['bool'] }),
    variable: (variables) => environment({ ...base, hasAuthorizer: true, variables }),
    validation: (variables) => environment({ ...base, hasAuthorizer: true, variables, result: ['bool'] }),
    message: (variables) => environment({ ...base, variables, result: ['string'] }),
    annotation: (variables) => environment({ ...base, hasAuthorizer: true, variables, result: ['string', 'null'] }),
  }
}

interface CompiledValidation {
  readonly settings: DeepReadonly<Validation>
  readonly program: CelProgram | Error
  readonly message: CelProgram | Error | undefined
}

/** The expressions of one ValidatingAdmissionPolicy. */
export class ValidatingEvaluator {
  readonly #conditions: MatchConditions
  readonly #variables: PolicyVariables
  readonly #validations: readonly CompiledValidation[]
  readonly #annotations: readonly { readonly key: string; readonly expression: string; readonly program: CelProgram | Error }[]

  constructor({ spec }: DeepReadonly<ValidatingAdmissionPolicy>) {
    const within = policyEnvironments(spec?.paramKind !== undefined)
    this.#conditions = new MatchConditions(spec?.matchConditions ?? [], within.condition)
    this.#variables = new PolicyVariables(spec?.variables ?? [], within.variable)
    const { type } = this.#variables
    const validation = within.validation(type)
    const message = within.message(type)
    const annotation = within.annotation(type)
    this.#validations = (spec?.validations ?? []).map((settings) => ({
      settings,
      program: compiled(settings.expression, validation),
      message: settings.messageExpression ? compiled(settings.messageExpression, message) : undefined,
    }))
    this.#annotations = (spec?.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: valueExpression,
      program: compiled(valueExpression, annotation),
    }))
  }

  /** Evaluates everything for one parameter. `values` are those of an activation, `params` among them. */
  async evaluate(values: Readonly<Record<string, unknown>>): Promise<Verdict> {
    if (!this.#conditions.isEmpty) {
      const { matches, error } = await this.#conditions.evaluate(values)
      if (error !== undefined) return { failures: [failed(0, error)], auditAnnotations: [] }
      if (!matches) return passed
    }
    const evaluation = new Evaluation(values, policyBudget)
    this.#variables.define(evaluation)
    const failures: Failure[] = []
    for (const [index, validation] of this.#validations.entries()) {
      const failure = await this.#validate(evaluation, validation, index)
      if (failure !== undefined) failures.push(failure)
    }
    return { failures, auditAnnotations: await this.#annotate(values, failures) }
  }

  async #validate(evaluation: Evaluation, { settings, program, message }: CompiledValidation, index: number): Promise<Failure | undefined> {
    if (program instanceof Error) return failed(index, expressionError(settings.expression, program))
    try {
      if ((await evaluation.run(program)) === true) return undefined
    } catch (error) {
      return failed(index, this.#errorOf(evaluation, settings.expression, error))
    }
    const said =
      (await this.#message(evaluation, message)) || settings.message?.trim() || `failed expression: ${settings.expression.trim()}`
    return { index, message: said, reason: settings.reason ?? 'Invalid', isError: false }
  }

  #errorOf(evaluation: Evaluation, expression: string, error: unknown): string {
    if (!isContinuoError(error)) throw error
    if (error instanceof CelBudgetError && evaluation.isExhausted)
      return 'validation failed due to running out of cost budget, no further validation rules will be run'
    return expressionError(expression, error)
  }

  /** The text of a message expression; empty for one that fails, or says too much or too many lines. */
  async #message(evaluation: Evaluation, program: CelProgram | Error | undefined): Promise<string> {
    if (program === undefined || program instanceof Error) return ''
    try {
      const said = String(await evaluation.run(program)).trim()
      return Buffer.byteLength(said) > maxMessageBytes || said.includes('\n') ? '' : said
    } catch (error) {
      if (!isContinuoError(error)) throw error
      return ''
    }
  }

  /** Adds to `failures` the annotations that could not be evaluated. */
  async #annotate(values: Readonly<Record<string, unknown>>, failures: Failure[]): Promise<Verdict['auditAnnotations']> {
    if (this.#annotations.length === 0) return []
    const evaluation = new Evaluation(values, policyBudget)
    this.#variables.define(evaluation)
    const annotations: { key: string; value: string }[] = []
    for (const [index, { key, expression, program }] of this.#annotations.entries()) {
      if (program instanceof Error) failures.push(failed(index, expressionError(expression, program)))
      else
        try {
          const value = await evaluation.run(program)
          if (typeof value === 'string' && value.trim() !== '') annotations.push({ key, value: value.trim() })
        } catch (error) {
          failures.push(failed(index, this.#errorOf(evaluation, expression, error)))
        }
    }
    return annotations
  }
}

const failed = (index: number, message: string): Failure => ({ index, message, reason: 'Invalid', isError: true })
