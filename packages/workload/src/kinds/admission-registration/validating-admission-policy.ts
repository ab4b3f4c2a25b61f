import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy as ValidatingAdmissionPolicyObject,
  Validation,
} from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isQualifiedName } from '../../rules/names.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkMatchConditions, checkMatchResources, defaultMatchResources, failurePolicies } from './matching.ts'
import { checkParamKind, checkVariables, paramKindCell } from './policies.ts'

export type ValidatingAdmissionPolicy = ValidatingAdmissionPolicyObject
/** Handle of validatingadmissionpolicies in admissionregistration.k8s.io/v1. */
export const ValidatingAdmissionPolicy = kindOf<ValidatingAdmissionPolicy>('admissionregistration.k8s.io/v1', 'validatingadmissionpolicies')

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const maxAuditAnnotations = 20
const maxAuditExpressionBytes = 5 * 1024
const atLeastOne = 'validations or auditAnnotations must contain at least one item'

export const validatingAdmissionPolicyResource = workloadResource(ValidatingAdmissionPolicy, {
  categories: ['api-extensions'],
  table: table<ValidatingAdmissionPolicy>(
    nameColumn(),
    integer('Validations', ({ spec }) => spec?.validations?.length ?? 0),
    text('ParamKind', ({ spec }) => paramKindCell(spec?.paramKind)),
    ageColumn(),
  ),
  strategy: strategyOf<ValidatingAdmissionPolicy>({
    default({ spec }) {
      if (spec === undefined) return
      spec.failurePolicy ??= 'Fail'
      defaultMatchResources(spec.matchConstraints)
    },
    validate({ metadata, spec }, errors) {
      checkOneOf(spec?.failurePolicy, failurePolicies, 'spec.failurePolicy', errors)
      checkParamKind(spec?.paramKind, 'spec.paramKind', errors)
      if (spec?.matchConstraints === undefined) errors.push(fieldError.required('spec.matchConstraints'))
      else {
        checkMatchResources(spec.matchConstraints, 'spec.matchConstraints', errors)
        if ((spec.matchConstraints.resourceRules?.length ?? 0) === 0)
          errors.push(fieldError.required('spec.matchConstraints.resourceRules'))
      }
      checkMatchConditions(spec?.matchConditions, 'spec.matchConditions', errors)
      checkVariables(spec?.variables, 'spec.variables', errors)
      if ((spec?.validations?.length ?? 0) === 0 && (spec?.auditAnnotations?.length ?? 0) === 0) {
        errors.push(fieldError.required('spec.validations', atLeastOne), fieldError.required('spec.auditAnnotations', atLeastOne))
      }
      each(spec?.validations, 'spec.validations', (validation, path) => checkValidation(validation, path, errors))
      checkAuditAnnotations(spec?.auditAnnotations, metadata.name, errors)
    },
  }),
})

function checkValidation(
  { expression, message, messageExpression, reason }: DeepReadonly<Validation>,
  path: string,
  errors: FieldError[],
): void {
  if ((expression ?? '').trim() === '') errors.push(fieldError.required(`${path}.expression`, 'expression is not specified'))
  if (messageExpression && messageExpression.trim() === '')
    errors.push(fieldError.invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  if (message && message.trim() === '')
    errors.push(fieldError.invalid(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (message && /[\n\r]/.test(message.trim()))
    errors.push(fieldError.invalid(`${path}.message`, message, 'message must not contain line breaks'))
  checkOneOf(reason, reasons, `${path}.reason`, errors, false)
}

function checkAuditAnnotations(annotations: DeepReadonly<AuditAnnotation[]> | undefined, policy: string, errors: FieldError[]): void {
  const path = 'spec.auditAnnotations'
  if ((annotations?.length ?? 0) > maxAuditAnnotations)
    errors.push(fieldError.invalid(path, annotations, `must not have more than ${maxAuditAnnotations} auditAnnotations`))
  const keys = new Set<string>()
  each(annotations, path, ({ key, valueExpression }, at) => {
    checkName(isQualifiedName, `${policy}/${key}`, `${at}.key`, errors)
    if ((valueExpression ?? '').trim() === '') errors.push(fieldError.required(`${at}.valueExpression`, 'valueExpression is not specified'))
    else if (Buffer.byteLength(valueExpression.trim()) > maxAuditExpressionBytes)
      errors.push(fieldError.required(`${at}.valueExpression`, `must not exceed ${maxAuditExpressionBytes} bytes in length`))
    if (keys.has(key)) errors.push(fieldError.duplicate(`${at}.key`, key))
    keys.add(key)
  })
}
