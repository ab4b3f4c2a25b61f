import {
  applyJsonPatch,
  type DeepReadonly,
  isApiError,
  isContinuoError,
  mergeConfiguration,
  type Schema,
  type UnstructuredObject,
} from '@continuo/core'
import { compiled, Evaluation, environment, expressionError, MatchConditions, type Matched, policyBudget } from '@continuo/lib-admission'
import { CelList, type CelProgram, type CelType, type CompileOptions, elementsOf, Meter, toJson, type Value } from '@continuo/lib-cel'
import type { MutatingAdmissionPolicy, Mutation } from '@continuo/workload'
import { PolicyVariables } from '../policies/policy-variables.ts'
import { atomicFields } from './atomic-fields.ts'
import { jsonPatchLibrary, literalType, misplacedLiteral } from './object-literals.ts'

/** A mutation that came to nothing. Subject to the policy's failure policy. */
export class MutationError extends TypeError {}

const patchBudget = 1_000_000

/** What each kind of expression of a mutating policy may name and must give. */
export function mutatingEnvironments(hasParams: boolean) {
  const base = { hasParams, hasAuthorizer: true, message: literalType, functions: jsonPatchLibrary }
  return {
    condition: environment({ hasParams, hasAuthorizer: true, result: ['bool'] }),
    variable: (variables: CelType): CompileOptions => environment({ ...base, variables }),
    applyConfiguration: (variables: CelType): CompileOptions => environment({ ...base, variables, result: ['object'] }),
    jsonPatch: (variables: CelType): CompileOptions => environment({ ...base, variables, result: ['list'] }),
  }
}

interface CompiledMutation {
  readonly type: Mutation['patchType']
  readonly expression: string
  readonly program: CelProgram | Error
}

/** The expressions of one MutatingAdmissionPolicy. */
export class MutatingEvaluator {
  readonly #conditions: MatchConditions
  readonly #variables: PolicyVariables
  readonly #mutations: readonly CompiledMutation[]

  constructor({ spec }: DeepReadonly<MutatingAdmissionPolicy>) {
    const within = mutatingEnvironments(spec?.paramKind !== undefined)
    this.#conditions = new MatchConditions(spec?.matchConditions ?? [], within.condition)
    this.#variables = new PolicyVariables(spec?.variables ?? [], within.variable)
    const applied = within.applyConfiguration(this.#variables.type)
    const patched = within.jsonPatch(this.#variables.type)
    this.#mutations = (spec?.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const expression = (patchType === 'JSONPatch' ? jsonPatch : applyConfiguration)?.expression ?? ''
      return { type: patchType, expression, program: compiled(expression, patchType === 'JSONPatch' ? patched : applied) }
    })
  }

  get mutations(): readonly CompiledMutation[] {
    return this.#mutations
  }

  async matches(values: Readonly<Record<string, unknown>>): Promise<Matched> {
    return this.#conditions.isEmpty ? { matches: true } : this.#conditions.evaluate(values)
  }

  /** The object after one mutation. Changes nothing in place. Throws {@link MutationError}. */
  async apply(
    mutation: CompiledMutation,
    values: Readonly<Record<string, unknown>>,
    object: UnstructuredObject,
    schema: Schema | undefined,
  ): Promise<UnstructuredObject> {
    const { type, expression, program } = mutation
    if (program instanceof Error) throw new MutationError(expressionError(expression, program))
    const evaluation = new Evaluation(values, policyBudget)
    this.#variables.define(evaluation)
    let value: Value
    try {
      value = await evaluation.run(program)
      return type === 'JSONPatch' ? patch(value, object) : merge(value, object, schema)
    } catch (error) {
      if (error instanceof MutationError) throw error
      if (isApiError(error)) throw new MutationError(`error applying patch: ${error.message}`)
      if (isContinuoError(error)) throw new MutationError(expressionError(expression, error))
      throw error
    }
  }
}

function merge(value: Value, object: UnstructuredObject, schema: Schema | undefined): UnstructuredObject {
  const misplaced = misplacedLiteral(value)
  if (misplaced !== undefined) throw new MutationError(misplaced)
  const configuration = toJson(value, new Meter(patchBudget)) as Record<string, unknown>
  const atomic = atomicFields(schema, configuration)
  if (atomic.length > 0)
    throw new MutationError(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    )
  return mergeConfiguration(schema, object, { ...configuration, apiVersion: object.apiVersion, kind: object.kind })
}

function patch(value: Value, object: UnstructuredObject): UnstructuredObject {
  if (!(value instanceof CelList)) throw new MutationError('a JSONPatch expression must give a list of JSONPatch')
  const meter = new Meter(patchBudget)
  const operations = elementsOf(value).map((operation) => toJson(operation, meter))
  return applyJsonPatch(object, operations) as UnstructuredObject
}
