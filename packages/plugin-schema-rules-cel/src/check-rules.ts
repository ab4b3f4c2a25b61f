import { type FieldError, fieldError, isContinuoError, type Schema, type ValidationRule } from '@continuo/core'
import { type CelProgram, type CelType, mostInRequest, typeOfSchema } from '@continuo/lib-cel'
import { type CompiledRule, childSchemas, compileRule } from './compile-rule.ts'
import { factorOf, maxRuleEstimate, maxTotalEstimate } from './limits.ts'
import { parseRulePath } from './rule-path.ts'

const reasons = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate']
const maxErrors = 100
const simplify = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'

/** Where a schema stands. */
interface Place {
  readonly path: string
  /** How many values of it an object can hold; undefined when a list or map around it has no bound of its own. */
  readonly count: number | undefined
  /** The part of the schema whose old and new values do not correspond, if it is within one. */
  readonly uncorrelated: string | undefined
  readonly root: boolean
}

/** What is wrong with the rules of a schema, in Kubernetes' words: expressions that do not compile or are too dear, and misused options. */
export function checkRules(schema: Schema, at: string): readonly FieldError[] {
  const check = new RuleCheck()
  check.schema(schema, { path: at, count: 1, uncorrelated: undefined, root: true })
  check.total(at)
  return check.errors
}

class RuleCheck {
  readonly errors: FieldError[] = []
  readonly #costs: { readonly path: string; readonly cost: number }[] = []

  #add(error: FieldError): void {
    if (this.errors.length < maxErrors) this.errors.push(error)
  }

  schema(schema: Schema, place: Place): void {
    const rules = schema['x-kubernetes-validations'] ?? []
    for (const [i, rule] of rules.entries()) this.#rule(schema, rule, { ...place, path: `${place.path}.x-kubernetes-validations[${i}]` })
    for (const [step, child, kind] of childSchemas(schema)) {
      this.schema(child, {
        path: `${place.path}${step}`,
        count: countBelow(schema, place.count, kind),
        uncorrelated: uncorrelatedBelow(schema, place, kind),
        root: false,
      })
    }
  }

  #rule(schema: Schema, rule: ValidationRule, place: Place): void {
    const { path } = place
    const before = this.errors.length
    this.#texts(schema, rule, path)
    if (this.errors.length > before) return
    const type = typeOfSchema(schema, { root: place.root })
    if (type === undefined) {
      this.#add(fieldError.invalid(`${path}.rule`, rule.rule, 'rules are not supported on values of unknown type'))
      return
    }
    const compiled = this.#compiled(rule, type, `${path}.rule`)
    if (compiled === undefined) return
    if (compiled.usesOld && place.uncorrelated !== undefined)
      this.#add(
        fieldError.invalid(
          `${path}.rule`,
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`,
        ),
      )
    if (rule.optionalOldSelf !== undefined && !compiled.usesOld)
      this.#add(fieldError.invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
    this.#cost(compiled.program, schema, place, `${path}.rule`, 'estimated rule cost')
    this.#messageExpression(schema, rule, type, place)
  }

  #compiled(rule: ValidationRule, type: CelType, at: string): CompiledRule | undefined {
    try {
      return compileRule({ ...rule, messageExpression: '' }, type)
    } catch (error) {
      this.#add(fieldError.invalid(at, rule.rule, compilationFault(error)))
      return undefined
    }
  }

  /** What Kubernetes asks of the texts beside the rule. */
  #texts(schema: Schema, rule: ValidationRule, path: string): void {
    const { message, messageExpression, reason, fieldPath } = rule
    if (rule.rule.trim() === '') this.#add(fieldError.required(`${path}.rule`, 'rule is not specified'))
    if (message !== undefined && message !== '' && message.trim() === '')
      this.#add(fieldError.invalid(`${path}.message`, message, 'message must be non-empty if specified'))
    else if (message?.trim().includes('\n'))
      this.#add(fieldError.invalid(`${path}.message`, message, 'message must not contain line breaks'))
    else if (rule.rule.trim().includes('\n') && !message)
      this.#add(fieldError.required(`${path}.message`, 'message must be specified if rule contains line breaks'))
    if (messageExpression !== undefined && messageExpression !== '' && messageExpression.trim() === '')
      this.#add(fieldError.required(`${path}.messageExpression`, 'must be non-empty if specified'))
    if (reason !== undefined && !reasons.includes(reason)) this.#add(fieldError.notSupported(`${path}.reason`, reason, reasons))
    if (fieldPath === undefined || fieldPath === '') return
    if (fieldPath.trim() === '') this.#add(fieldError.invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'))
    else if (fieldPath.includes('\n'))
      this.#add(fieldError.invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'))
    else {
      const parsed = parseRulePath(fieldPath, schema)
      if ('fault' in parsed)
        this.#add(fieldError.invalid(`${path}.fieldPath`, fieldPath, `fieldPath must be a valid path: ${parsed.fault}`))
    }
  }

  #messageExpression(schema: Schema, rule: ValidationRule, type: CelType, place: Place): void {
    if (!rule.messageExpression) return
    const at = `${place.path}.messageExpression`
    try {
      const { message } = compileRule(rule, type)
      if (message !== undefined) this.#cost(message, schema, place, at, 'estimated messageExpression cost')
    } catch (error) {
      this.#add(fieldError.invalid(at, rule.messageExpression, `messageExpression ${compilationFault(error)}`))
    }
  }

  #cost(program: CelProgram, schema: Schema, place: Place, path: string, name: string): void {
    const cost = program.estimate * (place.count ?? mostInRequest(schema))
    this.#costs.push({ path, cost })
    if (cost > maxRuleEstimate)
      this.#add(fieldError.forbidden(path, `${name} exceeds budget by factor of ${factorOf(cost, maxRuleEstimate)} (${simplify})`))
  }

  /** All rules together have a bound as well; those that make up more than a hundredth of it are named. */
  total(at: string): void {
    const total = this.#costs.reduce((sum, { cost }) => sum + cost, 0)
    if (total <= maxTotalEstimate) return
    for (const { path, cost } of this.#costs)
      if (cost > maxTotalEstimate / 100)
        this.#add(
          fieldError.forbidden(
            path,
            'contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema',
          ),
        )
    this.#add(
      fieldError.forbidden(
        at,
        `x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factorOf(total, maxTotalEstimate)} (${simplify})`,
      ),
    )
  }
}

function compilationFault(error: unknown): string {
  if (!isContinuoError(error)) throw error
  return `compilation failed: ${error.message}`
}

function countBelow(schema: Schema, count: number | undefined, kind: 'property' | 'item' | 'value'): number | undefined {
  if (kind === 'property') return count
  const most = kind === 'item' ? schema.maxItems : schema.maxProperties
  return count === undefined || most === undefined ? undefined : count * most
}

function uncorrelatedBelow(schema: Schema, place: Place, kind: 'property' | 'item' | 'value'): string | undefined {
  if (place.uncorrelated !== undefined) return place.uncorrelated
  const corresponds = kind === 'item' ? schema['x-kubernetes-list-type'] === 'map' : schema['x-kubernetes-map-type'] !== 'atomic'
  return corresponds ? undefined : place.path
}
