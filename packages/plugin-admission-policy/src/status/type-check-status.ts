import { type ControllerSpec, type Informer, jsonEqual, mutableCopy, type Registry } from '@continuo/core'
import { ValidatingAdmissionPolicy } from '@continuo/workload'
import { checkTypes } from './check-types.ts'

/** Writes into the status of policies what the check of their types found, once for each generation. */
export const typeCheckStatus = (
  registry: Registry,
  policies: Informer<ValidatingAdmissionPolicy>,
): ControllerSpec<ValidatingAdmissionPolicy> => ({
  name: 'validating-admission-policy-status',
  for: ValidatingAdmissionPolicy,
  async reconcile(key, { client }) {
    const policy = policies.lister.get(key)
    if (policy === undefined || policy.status?.observedGeneration === policy.metadata.generation) return
    const warnings = checkTypes(policy, registry)
    const status = {
      ...policy.status,
      observedGeneration: policy.metadata.generation ?? 1,
      typeChecking: warnings.length === 0 ? {} : { expressionWarnings: [...warnings] },
    }
    if (jsonEqual(status, policy.status)) return
    const next = mutableCopy(policy) as ValidatingAdmissionPolicy
    next.status = status as NonNullable<ValidatingAdmissionPolicy['status']>
    await client.for(ValidatingAdmissionPolicy).updateStatus(next)
  },
})
