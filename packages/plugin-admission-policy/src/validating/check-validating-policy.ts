import { type AdmissionRequest, type DeepReadonly, type FieldError, fieldError, invalid, jsonEqual } from '@continuo/core'
import { checkConditionExpressions, checkExpression } from '@continuo/lib-admission'
import type { ValidatingAdmissionPolicy } from '@continuo/workload'
import { PolicyVariables } from '../policies/policy-variables.ts'
import { policyEnvironments } from './validating-evaluator.ts'

type Policy = DeepReadonly<ValidatingAdmissionPolicy>

/** Refuses a ValidatingAdmissionPolicy with an expression that does not compile. Throws 422. */
export function checkValidatingPolicy(request: AdmissionRequest): void {
  const { kind, object, oldObject, operation, subresource } = request
  if (kind.group !== 'admissionregistration.k8s.io' || kind.kind !== 'ValidatingAdmissionPolicy' || subresource !== undefined) return
  if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return
  const { spec } = object as unknown as Policy
  if (jsonEqual(spec, (oldObject as unknown as Policy | undefined)?.spec)) return
  const errors = validatingFaults(object as unknown as Policy)
  if (errors.length > 0) throw invalid(kind, request.name, errors)
}

/** What is wrong with the expressions of a policy. Pure. */
export function validatingFaults({ spec }: Policy): readonly FieldError[] {
  const errors: FieldError[] = []
  const within = policyEnvironments(spec?.paramKind !== undefined)
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
  const validation = within.validation(variables.type)
  const message = within.message(variables.type)
  const annotation = within.annotation(variables.type)
  spec?.validations?.forEach(({ expression, messageExpression }, index) => {
    checkExpression(expression, validation, `spec.validations[${index}].expression`, errors)
    checkExpression(messageExpression, message, `spec.validations[${index}].messageExpression`, errors)
  })
  spec?.auditAnnotations?.forEach(({ valueExpression }, index) => {
    checkExpression(valueExpression, annotation, `spec.auditAnnotations[${index}].valueExpression`, errors)
  })
  return errors
}
