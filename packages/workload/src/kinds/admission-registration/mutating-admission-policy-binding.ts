import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingObject } from '../../generated/types/admissionregistration-v1.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkMatchResources, defaultMatchResources } from './matching.ts'
import { mutableOperations } from './mutating-admission-policy.ts'
import { checkBinding, paramRefCell } from './policies.ts'

export type MutatingAdmissionPolicyBinding = MutatingAdmissionPolicyBindingObject
/** Handle of mutatingadmissionpolicybindings in admissionregistration.k8s.io/v1. */
export const MutatingAdmissionPolicyBinding = kindOf<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1',
  'mutatingadmissionpolicybindings',
)

export const mutatingAdmissionPolicyBindingResource = workloadResource(MutatingAdmissionPolicyBinding, {
  categories: ['api-extensions'],
  table: table<MutatingAdmissionPolicyBinding>(
    nameColumn(),
    text('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    text('ParamRef', ({ spec }) => paramRefCell(spec?.paramRef)),
    ageColumn(),
  ),
  strategy: strategyOf<MutatingAdmissionPolicyBinding>({
    default: ({ spec }) => defaultMatchResources(spec?.matchResources),
    validate({ spec }, errors) {
      checkBinding(spec, errors)
      checkMatchResources(spec?.matchResources, 'spec.matchResources', errors, mutableOperations)
    },
  }),
})
