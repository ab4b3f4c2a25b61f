import { CelBudgetError, CelEvaluationError, type CelProgram, Meter, type Value } from '@continuo/lib-cel'
import type { AdmissionSubject, VersionedObjects } from '../admission-subject.ts'
import type { ResourceForm } from '../equivalents.ts'
import { reviewRequest } from '../review-request.ts'
import { AuthorizerValue } from './authorizer.ts'
import { type Decisions, PendingDecision } from './decisions.ts'

/** What one expression may cost. */
const perExpression = 1_000_000

/** What the expressions of one policy may cost together, for each binding and parameter. */
export const policyBudget = 10_000_000
/** What match conditions may cost together. */
export const matchConditionsBudget = 2_500_000

/** The values that expressions see: one request in one form. */
export function activation(
  subject: AdmissionSubject,
  form: ResourceForm,
  objects: VersionedObjects,
  decisions: Decisions,
): Record<string, unknown> {
  const { resource, subresource, namespace, name } = subject
  return {
    object: objects.object ?? null,
    oldObject: objects.oldObject ?? null,
    request: reviewRequest(subject, form),
    namespaceObject: () => subject.namespaceObject ?? null,
    authorizer: () =>
      new AuthorizerValue(decisions, decisions.user, {
        group: resource.group,
        resource: resource.resource,
        subresource,
        namespace: subject.isNamespace ? '' : namespace,
        name,
      }),
  }
}

/** Evaluations that share a budget and the values of their variables. */
export class Evaluation {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #budget: Meter
  /** Of the expression that is evaluated now: variables are charged to whoever needs them first. */
  #meter: Meter = new Meter(0)
  readonly #variables: Record<string, unknown> = {}

  constructor(values: Readonly<Record<string, unknown>>, budget: number) {
    this.#values = values
    this.#budget = new Meter(budget)
  }

  /** Makes `variables.<name>` the value of a program: evaluated when it is first needed, then kept. */
  define(name: string, program: CelProgram | Error): void {
    let known: { readonly value: Value } | { readonly error: unknown } | undefined
    Object.defineProperty(this.#variables, name, {
      enumerable: true,
      get: () => {
        known ??= this.#variable(name, program)
        if ('error' in known) throw known.error
        return known.value
      },
    })
  }

  /** Throws what the program throws: `CelEvaluationError`, `CelBudgetError`. */
  async run(program: CelProgram): Promise<Value> {
    for (;;) {
      this.#meter = new Meter(Math.min(perExpression, this.#budget.remaining))
      try {
        return program.evaluate({ ...this.#values, variables: this.#variables }, this.#meter)
      } catch (error) {
        if (!(error instanceof PendingDecision)) throw error
        await error.decided
      } finally {
        this.#spend(this.#meter.spent)
      }
    }
  }

  get isExhausted(): boolean {
    return this.#budget.remaining === 0
  }

  #spend(units: number): void {
    this.#budget.charge(Math.min(units, this.#budget.remaining))
  }

  #variable(name: string, program: CelProgram | Error): { readonly value: Value } | { readonly error: unknown } {
    if (program instanceof Error) return { error: variableError(name, program) }
    try {
      return { value: program.evaluate({ ...this.#values, variables: this.#variables }, this.#meter) }
    } catch (error) {
      if (error instanceof PendingDecision) throw error
      return { error: variableError(name, error) }
    }
  }
}

const variableError = (name: string, error: unknown): unknown =>
  error instanceof CelBudgetError
    ? error
    : new CelEvaluationError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${(error as Error).message}`)
