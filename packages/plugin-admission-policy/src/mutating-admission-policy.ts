import { AdmissionMutate, definePlugin, optional, RegistryCap } from '@continuo/core'
import { type AskAccess, Equivalents } from '@continuo/lib-admission'
import { AccessGateCap, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '@continuo/workload'
import { checkMutatingPolicy } from './mutating/check-mutating-policy.ts'
import { MutatingEvaluator } from './mutating/mutating-evaluator.ts'
import { MutatingPolicies } from './mutating/mutating-policies.ts'
import { PolicySet } from './policies/policy-set.ts'
import { policyMetrics } from './policy-metrics.ts'

/** Changes objects as the MutatingAdmissionPolicies that are bound say, before webhooks see them. */
export const mutatingAdmissionPolicy = definePlugin({
  name: 'mutating-admission-policy',
  api: '^1',
  requires: { registry: RegistryCap, access: optional(AccessGateCap) },
  permissions: [
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'],
      verbs: ['list'],
    },
  ],
  setup(ctx) {
    const { registry, access } = ctx.use
    const ask: AskAccess | undefined = access === undefined ? undefined : (question) => access.authorize(question)
    const kinds = { policy: MutatingAdmissionPolicy, binding: MutatingAdmissionPolicyBinding }
    const set = new PolicySet(kinds, registry, new Equivalents(registry), (policy) => new MutatingEvaluator(policy))
    const policies = new MutatingPolicies(set, registry, policyMetrics(ctx.metrics, ctx.clock), ask)
    ctx.admission({ reads: [MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding], validate: checkMutatingPolicy })
    ctx.tap(AdmissionMutate, (request) => policies.mutate(request), { stage: 'post' })
  },
})
