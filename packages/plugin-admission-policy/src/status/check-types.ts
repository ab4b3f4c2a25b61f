import { type DeepReadonly, formatApiVersion, isContinuoError, parseApiVersion, type Registry, type ServedResource } from '@continuo/core'
import { type CelType, type CompileOptions, compileCel, typeOfSchema } from '@continuo/lib-cel'
import type { ExpressionWarning, RuleWithOperations, ValidatingAdmissionPolicy } from '@continuo/workload'
import { PolicyVariables } from '../policies/policy-variables.ts'
import { policyEnvironments } from '../validating/validating-evaluator.ts'

const maxTypes = 10

/** Expressions that cannot be right for a type that the policy matches: `spec.validations[0].expression`, and what is wrong for which type. */
export function checkTypes(policy: DeepReadonly<ValidatingAdmissionPolicy>, registry: Registry): readonly ExpressionWarning[] {
  const { spec } = policy
  const types = typesToCheck(spec?.matchConstraints?.resourceRules ?? [], registry)
  const paramsType = paramsTypeOf(policy, registry)
  const warnings: ExpressionWarning[] = []
  const check = (expression: string | undefined, fieldRef: string, form: 'validation' | 'message'): void => {
    if (!expression) return
    const faults = types.flatMap((served) => {
      const objectType = typeOf(served)
      const within = policyEnvironments(spec?.paramKind !== undefined, {
        ...(objectType === undefined ? {} : { objectType }),
        ...(paramsType === undefined ? {} : { paramsType }),
      })
      const variables = new PolicyVariables(spec?.variables ?? [], within.variable)
      const fault = faultOf(expression, within[form](variables.type))
      return fault === undefined ? [] : [`${formatApiVersion(served.gvk)}, Kind=${served.gvk.kind}: ${fault}\n`]
    })
    if (faults.length > 0) warnings.push({ fieldRef, warning: faults.join('\n') })
  }
  spec?.validations?.forEach(({ expression, messageExpression }, index) => {
    check(expression, `spec.validations[${index}].expression`, 'validation')
    check(messageExpression, `spec.validations[${index}].messageExpression`, 'message')
  })
  return warnings
}

/** The first ten types that the rules name outright; wildcards name none. */
function typesToCheck(rules: readonly DeepReadonly<RuleWithOperations>[], registry: Registry): readonly ServedResource[] {
  const found = new Map<string, ServedResource>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if (apiGroups.includes('*') || apiVersions.includes('*')) continue
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const resource of resources.filter((name) => !/[*/]/.test(name))) {
          const served = registry.resolve({ group, version, resource })
          if (served !== undefined) found.set(`${served.apiVersion}/${served.gvk.kind}`, served)
        }
  }
  return [...found.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, maxTypes)
    .map(([, served]) => served)
}

const typeOf = ({ schema }: ServedResource): CelType | undefined => typeOfSchema(schema, { root: true, metadata: 'all' })

function paramsTypeOf({ spec }: DeepReadonly<ValidatingAdmissionPolicy>, registry: Registry): CelType | undefined {
  const { apiVersion = '', kind = '' } = spec?.paramKind ?? {}
  const served = registry.resolveKind({ ...parseApiVersion(apiVersion), kind })
  return served === undefined ? undefined : typeOf(served)
}

function faultOf(expression: string, options: CompileOptions): string | undefined {
  try {
    compileCel(expression, options)
    return undefined
  } catch (error) {
    if (!isContinuoError(error)) throw error
    return error.message
  }
}
