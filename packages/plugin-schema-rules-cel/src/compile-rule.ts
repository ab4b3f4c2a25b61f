import type { Schema, ValidationRule } from '@continuo/core'
import { type CelProgram, type CelType, cel, compileCel } from '@continuo/lib-cel'

/** A rule's expressions, compiled. */
export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: CelProgram
  readonly message?: CelProgram
  /** It compares with what was there before: a rule of a transition. */
  readonly usesOld: boolean
}

/** Variables of a rule by whether it may see an absent old value; shared by all rules of one type. */
function variablesOf(self: CelType, { optionalOldSelf }: ValidationRule): Readonly<Record<string, CelType>> {
  return { self, oldSelf: optionalOldSelf === true ? cel.optional(self) : self }
}

/** Compiles a rule of a schema whose values are of a type. Throws `CelCompileError`. */
export function compileRule(rule: ValidationRule, self: CelType): CompiledRule {
  const variables = variablesOf(self, rule)
  const program = compileCel(rule.rule, { variables, result: ['bool'] })
  const message = rule.messageExpression ? compileCel(rule.messageExpression, { variables, result: ['string'] }) : undefined
  return { rule, program, usesOld: program.reads.has('oldSelf'), ...(message === undefined ? {} : { message }) }
}

/** The schemas directly below one, as validation walks them. */
export function* childSchemas(schema: Schema): Iterable<readonly [path: string, child: Schema, kind: 'property' | 'item' | 'value']> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield [`.properties[${name}]`, child, 'property']
  if (schema.items !== undefined) yield ['.items', schema.items, 'item']
  if (typeof schema.additionalProperties === 'object') yield ['.additionalProperties', schema.additionalProperties, 'value']
}
