import { CelCompileError, CelEvaluationError } from './cel-error.ts'
import { type Checked, check } from './check/check.ts'
import { estimateCost } from './cost/estimate.ts'
import type { Frame, Step } from './evaluate/frame.ts'
import type { Meter } from './evaluate/meter.ts'
import { Planner } from './evaluate/plan.ts'
import type { Overload } from './functions/overload.ts'
import { FunctionTable, standardLibrary } from './functions/standard-library.ts'
import { parse } from './syntax/parser.ts'
import { type CelType, isDynamic, type ObjectType, showType } from './types/cel-type.ts'
import { wrapJson } from './values/json-values.ts'
import { kindOf, type Value } from './values/value.ts'

/** What an expression may name, and what it must give. */
export interface CompileOptions {
  /** The type of each variable. */
  readonly variables: Readonly<Record<string, CelType>>
  /** Kinds of result that are accepted, such as `['bool']`. A dynamic result is checked when there is one. Default: any. */
  readonly result?: readonly CelType['kind'][]
  /** Functions beside the standard library: an authorizer's. */
  readonly functions?: readonly Overload[]
  /** Messages that may be written as literals, by name. */
  readonly message?: (name: string) => ObjectType | undefined
}

/** A compiled expression. Immutable: it may be evaluated any number of times, also from within itself. */
export interface CelProgram {
  readonly source: string
  readonly resultType: CelType
  /** Names of the declared variables that it reads. */
  readonly reads: ReadonlySet<string>
  /** The most that an evaluation may cost, from the bounds of its variables' types. */
  readonly estimate: number
  /**
   * Evaluates with the values of variables: JSON, CEL values, or a function that gives one of these when it is needed.
   * Never changes them. Throws {@link CelEvaluationError} when there is no value, `CelBudgetError` when the meter is empty.
   */
  evaluate(variables: Readonly<Record<string, unknown>>, meter: Meter): Value
}

/** Compiled from the same list once: making a table costs more than most compilations. */
const standard = new FunctionTable(standardLibrary)
const tables = new WeakMap<readonly Overload[], FunctionTable>()

function tableOf(functions: readonly Overload[]): FunctionTable {
  let table = tables.get(functions)
  if (table === undefined) {
    table = new FunctionTable(functions)
    tables.set(functions, table)
  }
  return table
}

/**
 * Compiles an expression. Throws {@link CelCompileError} with the place of the first fault.
 * @example
 * const rule = compileCel('self.replicas <= 10', { variables: { self: typeOfSchema(schema) ?? cel.dyn }, result: ['bool'] })
 * rule.evaluate({ self: { replicas: 3 } }, new Meter(1_000_000)) // true
 */
export function compileCel(source: string, options: CompileOptions): CelProgram {
  const { variables, functions, message, result } = options
  const root = parse(source)
  const checked = check(source, root, {
    variables,
    functions: functions === undefined ? [standard] : [tableOf(functions), standard],
    ...(message === undefined ? {} : { message }),
  })
  if (result !== undefined && !isDynamic(checked.type) && !result.includes(checked.type.kind))
    throw new CelCompileError(source, 0, `must evaluate to ${result.join(' or ')}, but is ${showType(checked.type)}`)
  return new Program(source, checked, options)
}

class Program implements CelProgram {
  readonly source: string
  readonly resultType: CelType
  readonly reads: ReadonlySet<string>
  readonly estimate: number
  readonly #step: Step
  readonly #options: CompileOptions

  constructor(source: string, checked: Checked, options: CompileOptions) {
    this.source = source
    this.resultType = checked.type
    this.reads = new Set(
      Array.from(checked.types.keys(), (node) => (node.kind === 'identifier' ? node.name : '')).filter((name) =>
        Object.hasOwn(options.variables, name),
      ),
    )
    this.estimate = estimateCost(checked)
    this.#step = new Planner(checked).step(checked.root, { names: [] })
    this.#options = options
  }

  evaluate(variables: Readonly<Record<string, unknown>>, meter: Meter): Value {
    const { variables: types, result } = this.#options
    const read = new Map<string, Value>()
    const frame: Frame = {
      slots: [],
      meter,
      variable: (name) => {
        let value = read.get(name)
        if (value === undefined) {
          const given = Object.hasOwn(variables, name) ? variables[name] : undefined
          const actual = typeof given === 'function' ? given() : given
          if (actual === undefined) throw new CelEvaluationError(`no such attribute: ${name}`)
          value = actual === null ? null : wrapJson(actual, types[name] as CelType)
          read.set(name, value)
        }
        return value
      },
    }
    const value = this.#run(frame)
    if (result !== undefined && !result.includes(kindOf(value)) && !result.includes('dyn'))
      throw new CelEvaluationError(`must evaluate to ${result.join(' or ')}, but gave ${kindOf(value)}`)
    return value
  }

  #run(frame: Frame): Value {
    try {
      return this.#step(frame)
    } catch (error) {
      // Values that nest beyond the stack are an error of the expression, not of the process.
      if (error instanceof RangeError) throw new CelEvaluationError(`expression is too deep: ${error.message}`)
      throw error
    }
  }
}
