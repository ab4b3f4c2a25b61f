import { fieldError } from '@continuo/core'
import type { MutatingAdmissionPolicy as MutatingAdmissionPolicyObject } from '../../generated/types/admissionregistration-v1.ts'
import { each } from '../../rules/each.ts'
import { checkOneOf } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkMatchConditions, checkMatchResources, defaultMatchResources, failurePolicies } from './matching.ts'
import { checkParamKind, checkVariables, paramKindCell } from './policies.ts'

export type MutatingAdmissionPolicy = MutatingAdmissionPolicyObject
/** Handle of mutatingadmissionpolicies in admissionregistration.k8s.io/v1. */
export const MutatingAdmissionPolicy = kindOf<MutatingAdmissionPolicy>('admissionregistration.k8s.io/v1', 'mutatingadmissionpolicies')

/** A deletion has nothing to mutate. */
export const mutableOperations: readonly string[] = ['*', 'CONNECT', 'CREATE', 'UPDATE']

export const mutatingAdmissionPolicyResource = workloadResource(MutatingAdmissionPolicy, {
  categories: ['api-extensions'],
  table: table<MutatingAdmissionPolicy>(
    nameColumn(),
    integer('Mutations', ({ spec }) => spec?.mutations?.length ?? 0),
    text('ParamKind', ({ spec }) => paramKindCell(spec?.paramKind)),
    ageColumn(),
  ),
  strategy: strategyOf<MutatingAdmissionPolicy>({
    default({ spec }) {
      if (spec === undefined) return
      spec.failurePolicy ??= 'Fail'
      defaultMatchResources(spec.matchConstraints)
    },
    validate({ spec }, errors) {
      checkOneOf(spec?.failurePolicy, failurePolicies, 'spec.failurePolicy', errors)
      checkParamKind(spec?.paramKind, 'spec.paramKind', errors)
      if (spec?.matchConstraints === undefined) errors.push(fieldError.required('spec.matchConstraints'))
      else {
        checkMatchResources(spec.matchConstraints, 'spec.matchConstraints', errors, mutableOperations)
        if ((spec.matchConstraints.resourceRules?.length ?? 0) === 0)
          errors.push(fieldError.required('spec.matchConstraints.resourceRules'))
      }
      checkMatchConditions(spec?.matchConditions, 'spec.matchConditions', errors)
      checkVariables(spec?.variables, 'spec.variables', errors)
      if ((spec?.mutations?.length ?? 0) === 0)
        errors.push(fieldError.required('spec.mutations', 'mutations must contain at least one item'))
      each(spec?.mutations, 'spec.mutations', ({ patchType, applyConfiguration, jsonPatch }, path) => {
        checkOneOf(patchType, ['ApplyConfiguration', 'JSONPatch'], `${path}.patchType`, errors)
        const [named, other] =
          patchType === 'JSONPatch' ? (['jsonPatch', 'applyConfiguration'] as const) : (['applyConfiguration', 'jsonPatch'] as const)
        const bodies = { applyConfiguration, jsonPatch }
        if (bodies[named] === undefined)
          errors.push(fieldError.required(`${path}.${named}`, `must be specified when patchType is ${patchType}`))
        else if ((bodies[named].expression ?? '').trim() === '')
          errors.push(fieldError.required(`${path}.${named}.expression`, 'expression is not specified'))
        if (bodies[other] !== undefined)
          errors.push(fieldError.invalid(`${path}.${other}`, bodies[other], `must not be specified when patchType is ${patchType}`))
      })
      checkOneOf(spec?.reinvocationPolicy, ['IfNeeded', 'Never'], 'spec.reinvocationPolicy', errors)
    },
  }),
})
