import { type AdmissionRequest, type DeepReadonly, type FieldError, fieldError, invalid, jsonEqual } from '@continuo/core'
import { checkConditionExpressions, checkExpression } from '@continuo/lib-admission'
import { showType } from '@continuo/lib-cel'
import type { MutatingAdmissionPolicy } from '@continuo/workload'
import { PolicyVariables } from '../policies/policy-variables.ts'
import { mutatingEnvironments } from './mutating-evaluator.ts'
import { rootName } from './object-literals.ts'

type Policy = DeepReadonly<MutatingAdmissionPolicy>

/** Refuses a MutatingAdmissionPolicy with an expression that does not compile. Throws 422. */
export function checkMutatingPolicy(request: AdmissionRequest): void {
  const { kind, object, oldObject, operation } = request
  if (kind.group !== 'admissionregistration.k8s.io' || kind.kind !== 'MutatingAdmissionPolicy') return
  if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return
  const { spec } = object as unknown as Policy
  if (jsonEqual(spec, (oldObject as unknown as Policy | undefined)?.spec)) return
  const errors = mutatingFaults(object as unknown as Policy)
  if (errors.length > 0) throw invalid(kind, request.name, errors)
}

/** What is wrong with the expressions of a policy. Pure. */
export function mutatingFaults({ spec }: Policy): readonly FieldError[] {
  const errors: FieldError[] = []
  const within = mutatingEnvironments(spec?.paramKind !== undefined)
  checkConditionExpressions(spec?.matchConditions, within.condition, 'spec.matchConditions', errors)
  const variables = new PolicyVariables(spec?.variables ?? [], within.variable)
  for (const [index, fault] of variables.faults.entries())
    if (fault !== undefined)
      errors.push(
        fieldError.invalid(
          `spec.variables[${index}].expression`,
          spec?.variables?.[index]?.expression,
          `compilation failed: ${fault.message}`,
        ),
      )
  const applied = within.applyConfiguration(variables.type)
  const patched = within.jsonPatch(variables.type)
  spec?.mutations?.forEach(({ applyConfiguration, jsonPatch }, index) => {
    const path = `spec.mutations[${index}]`
    const program = checkExpression(applyConfiguration?.expression, applied, `${path}.applyConfiguration.expression`, errors)
    if (program?.resultType.kind === 'object' && program.resultType.name !== rootName)
      errors.push(
        fieldError.invalid(
          `${path}.applyConfiguration.expression`,
          program.source,
          `must evaluate to ${rootName}, but is ${showType(program.resultType)}`,
        ),
      )
    checkExpression(jsonPatch?.expression, patched, `${path}.jsonPatch.expression`, errors)
  })
  return errors
}
