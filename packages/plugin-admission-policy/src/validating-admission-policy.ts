import { AdmissionValidate, definePlugin, optional, RegistryCap } from '@continuo/core'
import { type AskAccess, Equivalents } from '@continuo/lib-admission'
import { AccessGateCap, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '@continuo/workload'
import { PolicySet } from './policies/policy-set.ts'
import { policyMetrics } from './policy-metrics.ts'
import { typeCheckStatus } from './status/type-check-status.ts'
import { checkValidatingPolicy } from './validating/check-validating-policy.ts'
import { ValidatingEvaluator } from './validating/validating-evaluator.ts'
import { ValidatingPolicies } from './validating/validating-policies.ts'

/** Holds requests to the ValidatingAdmissionPolicies that are bound, and tells in their status what is doubtful about their expressions. */
export const validatingAdmissionPolicy = definePlugin({
  name: 'validating-admission-policy',
  api: '^1',
  requires: { registry: RegistryCap, access: optional(AccessGateCap) },
  permissions: [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
      verbs: ['get', 'list', 'watch'],
    },
    { apiGroups: ['admissionregistration.k8s.io'], resources: ['validatingadmissionpolicies/status'], verbs: ['update'] },
  ],
  setup(ctx) {
    const { registry, access } = ctx.use
    const ask: AskAccess | undefined = access === undefined ? undefined : (question) => access.authorize(question)
    const kinds = { policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding }
    const set = new PolicySet(kinds, registry, new Equivalents(registry), (policy) => new ValidatingEvaluator(policy))
    const policies = new ValidatingPolicies(set, registry, policyMetrics(ctx.metrics, ctx.clock), ask)
    ctx.admission({ reads: [ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding], validate: checkValidatingPolicy })
    // After what the system itself decides, like webhooks: what is refused there need not be evaluated.
    ctx.tap(AdmissionValidate, (request) => policies.validate(request), { stage: 'post' })
    ctx.controller(typeCheckStatus(registry, ctx.informer(ValidatingAdmissionPolicy)))
  },
})
