import { type FieldError, fieldError } from '@continuo/core'
import type { ValidatingAdmissionPolicyBinding as ValidatingAdmissionPolicyBindingObject } from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkMatchResources, defaultMatchResources } from './matching.ts'
import { checkBinding, paramRefCell } from './policies.ts'

export type ValidatingAdmissionPolicyBinding = ValidatingAdmissionPolicyBindingObject
/** Handle of validatingadmissionpolicybindings in admissionregistration.k8s.io/v1. */
export const ValidatingAdmissionPolicyBinding = kindOf<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicybindings',
)

export const validatingAdmissionPolicyBindingResource = workloadResource(ValidatingAdmissionPolicyBinding, {
  categories: ['api-extensions'],
  table: table<ValidatingAdmissionPolicyBinding>(
    nameColumn(),
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => paramRefCell(spec?.paramRef)),
    ageColumn(),
  ),
  strategy: strategyOf<ValidatingAdmissionPolicyBinding>({
    default: ({ spec }) => defaultMatchResources(spec?.matchResources),
    validate({ spec }, errors) {
      checkBinding(spec, errors)
      checkMatchResources(spec?.matchResources, 'spec.matchResources', errors)
      checkActions(spec?.validationActions, 'spec.validationActions', errors)
    },
  }),
})

function checkActions(actions: readonly string[] | undefined, path: string, errors: FieldError[]): void {
  const seen = new Set<string>()
  each(actions, path, (action, at) => {
    checkOneOf(action, ['Audit', 'Deny', 'Warn'], at, errors)
    if (seen.has(action)) errors.push(fieldError.duplicate(at, action))
    seen.add(action)
  })
  if (seen.has('Deny') && seen.has('Warn'))
    errors.push(
      fieldError.invalid(
        path,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  if (seen.size === 0) errors.push(fieldError.required(path, 'at least one validation action is required'))
}
