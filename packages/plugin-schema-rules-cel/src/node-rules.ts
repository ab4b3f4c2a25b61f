import { type FieldError, fieldError, isContinuoError, jsonEqual, type Schema, type ValidationRule } from '@continuo/core'
import { CelBudgetError, type CelProgram, type CelType, Meter, Optional, wrapJson } from '@continuo/lib-cel'
import { type CompiledRule, compileRule } from './compile-rule.ts'
import { maxRuleCost } from './limits.ts'
import { below, parseRulePath } from './rule-path.ts'
import type { RuleRun } from './rule-run.ts'

/** What a message expression may give. */
const maxMessage = 5 * 1024

/** The rules of one schema. Compiled when the first value meets them. */
export class NodeRules {
  readonly #schema: Schema
  readonly #rules: readonly ValidationRule[]
  readonly #type: CelType
  #compiled: readonly (CompiledRule | FaultyRule)[] | undefined

  constructor(schema: Schema, rules: readonly ValidationRule[], type: CelType) {
    this.#schema = schema
    this.#rules = rules
    this.#type = type
  }

  /** Runs the rules on a value; `old` is undefined where nothing corresponds to it. */
  run(run: RuleRun, path: string, value: unknown, old: unknown): void {
    this.#compiled ??= this.#rules.map((rule) => compileOrFault(rule, this.#type))
    let unchanged: boolean | undefined
    for (const rule of this.#compiled) {
      if (run.ended) return
      if ('usesOld' in rule && rule.usesOld && old === undefined && rule.rule.optionalOldSelf !== true) continue
      const error = this.#fault(run, rule, path, value, old)
      if (error === undefined) continue
      // What an update leaves alone may keep breaking a rule; rules of transitions always count.
      if (!('usesOld' in rule && rule.usesOld) && old !== undefined && !run.ended) {
        unchanged ??= jsonEqual(value, old)
        if (unchanged) continue
      }
      run.add(error)
    }
  }

  #fault(run: RuleRun, compiled: CompiledRule | FaultyRule, path: string, value: unknown, old: unknown): FieldError | undefined {
    const at = path === '' ? '<nil>' : path
    const shown = this.#schema.type ?? ''
    if ('fault' in compiled) return fieldError.invalid(at, shown, `rule compile error: ${compiled.fault}`)
    const { rule, program } = compiled
    const variables = this.#variables(rule, value, old)
    const meter = new Meter(run.allowance)
    try {
      if (program.evaluate(variables, meter) === true) return undefined
      return this.#refusal(run, compiled, path, variables)
    } catch (error) {
      if (!isContinuoError(error)) throw error
      if (!(error instanceof CelBudgetError)) return fieldError.invalid(at, shown, `${error.message} evaluating rule: ${titleOf(rule)}`)
      run.stop()
      if (run.allowance < maxRuleCost)
        return fieldError.invalid(at, shown, 'validation failed due to running out of cost budget, no further validation rules will be run')
      return fieldError.invalid(
        at,
        shown,
        `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${titleOf(rule)}`,
      )
    } finally {
      run.spend(meter.spent)
    }
  }

  #variables(rule: ValidationRule, value: unknown, old: unknown): Readonly<Record<string, unknown>> {
    const oldSelf =
      rule.optionalOldSelf !== true ? old : () => new Optional(old === undefined || old === null ? undefined : wrapJson(old, this.#type))
    return { self: value, oldSelf }
  }

  #refusal(run: RuleRun, { rule, message }: CompiledRule, path: string, variables: Readonly<Record<string, unknown>>): FieldError {
    const parsed = rule.fieldPath ? parseRulePath(rule.fieldPath, this.#schema) : undefined
    const at = (parsed !== undefined && 'names' in parsed ? below(path, parsed.names) : path) || '<nil>'
    const detail =
      (message === undefined ? undefined : expressed(run, message, variables)) ??
      (rule.message?.trim() || `failed rule: ${rule.rule.trim()}`)
    const shown = this.#schema.type ?? ''
    switch (rule.reason) {
      case 'FieldValueForbidden':
        return fieldError.forbidden(at, detail)
      case 'FieldValueRequired':
        return fieldError.required(at, detail)
      case 'FieldValueDuplicate':
        return fieldError.duplicate(at, shown)
      default:
        return fieldError.invalid(at, shown, detail)
    }
  }
}

interface FaultyRule {
  readonly rule: ValidationRule
  readonly fault: string
}

/** A definition that was stored without its rules being checked may hold rules that do not compile. */
function compileOrFault(rule: ValidationRule, type: CelType): CompiledRule | FaultyRule {
  try {
    return compileRule(rule, type)
  } catch (error) {
    if (!isContinuoError(error)) throw error
    // Without its message expression it may still say what is wrong.
    return rule.messageExpression ? compileOrFault({ ...rule, messageExpression: '' }, type) : { rule, fault: error.message }
  }
}

const titleOf = (rule: ValidationRule): string => rule.message?.trim() || rule.rule.trim()

/** The text of a message expression, or undefined when it gives none that can be shown: then the plain message stands. */
function expressed(run: RuleRun, message: CelProgram, variables: Readonly<Record<string, unknown>>): string | undefined {
  const meter = new Meter(run.allowance)
  try {
    const text = message.evaluate(variables, meter)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') && text.length <= maxMessage ? text : undefined
  } catch (error) {
    if (!isContinuoError(error)) throw error
    return undefined
  } finally {
    run.spend(meter.spent)
  }
}
