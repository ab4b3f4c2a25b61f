import {
  type AdmissionRequest,
  ApiError,
  type DeepReadonly,
  formatGroupResource,
  type Registry,
  reasonCodes,
  type StatusReason,
} from '@continuo/core'
import { AdmissionSubject, type AskAccess, activation, Decisions, isExempt, passesFailures } from '@continuo/lib-admission'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '@continuo/workload'
import type { Invocation, PolicySet } from '../policies/policy-set.ts'
import type { PolicyMetrics } from '../policy-metrics.ts'
import type { Failure, ValidatingEvaluator, Verdict } from './validating-evaluator.ts'

type Policy = ValidatingAdmissionPolicy
type Binding = ValidatingAdmissionPolicyBinding
type ValidatingInvocation = Invocation<Policy, Binding, ValidatingEvaluator>

interface Denial {
  readonly policy: string
  readonly binding?: string
  readonly message: string
  readonly reason: string
}

const maxAnnotationBytes = 10 * 1024

/** Evaluates the ValidatingAdmissionPolicies that a request concerns and does what their bindings say: deny, warn, audit. */
export class ValidatingPolicies {
  readonly #policies: PolicySet<Policy, Binding, ValidatingEvaluator>
  readonly #registry: Registry
  readonly #metrics: PolicyMetrics
  readonly #access: AskAccess | undefined

  constructor(
    policies: PolicySet<Policy, Binding, ValidatingEvaluator>,
    registry: Registry,
    metrics: PolicyMetrics,
    access: AskAccess | undefined,
  ) {
    this.#policies = policies
    this.#registry = registry
    this.#metrics = metrics
    this.#access = access
  }

  /** Throws the first denial: 422 unless the policy names another reason. */
  async validate(request: AdmissionRequest): Promise<void> {
    if (isExempt(request) || this.#policies.isEmpty(request.read)) return
    const subject = new AdmissionSubject(request, this.#registry)
    const { invocations, misconfigured } = this.#policies.select(subject)
    const isLenient = ({ spec }: DeepReadonly<Policy>): boolean => spec?.failurePolicy === 'Ignore' || passesFailures(request)
    const denials: Denial[] = misconfigured
      .filter(({ policy }) => !isLenient(policy))
      .map(({ policy, binding, message }) => ({
        policy: policy.metadata.name,
        ...(binding === undefined ? {} : { binding: binding.metadata.name }),
        message,
        reason: 'Invalid',
      }))
    const decisions = new Decisions(request.caller, this.#access)
    const annotations = new Map<string, Set<string>>()
    for (const invocation of invocations) {
      const values = { ...activation(subject, invocation.form, await subject.in(invocation.form), decisions), params: invocation.param }
      const observed = this.#metrics.timed('validating', invocation.policy.metadata.name, invocation.binding.metadata.name)
      const verdict = await invocation.evaluator.evaluate(values)
      const standing = verdict.failures.filter(({ isError }) => !isError || !isLenient(invocation.policy))
      observed(verdict.failures, invocation.binding.spec.validationActions)
      denials.push(...act(request, invocation, standing))
      collect(annotations, invocation, verdict)
    }
    for (const [key, texts] of annotations) request.annotate(key, [...texts].join(', '))
    const [first] = denials
    if (first !== undefined) throw refusal(request, first)
  }
}

/** Warns and audits, and gives back what is to be denied. */
function act(request: AdmissionRequest, { policy, binding }: ValidatingInvocation, failures: readonly Failure[]): readonly Denial[] {
  const actions = binding.spec.validationActions
  const [policyName, bindingName] = [policy.metadata.name, binding.metadata.name]
  for (const { index, message } of failures) {
    if (actions.includes('Warn'))
      request.warn(`Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}': ${message}`)
    if (actions.includes('Audit'))
      request.annotate(
        'validation.policy.admission.k8s.io/validation_failure',
        JSON.stringify([{ message, policy: policyName, binding: bindingName, expressionIndex: index, validationActions: actions }]),
      )
  }
  return actions.includes('Deny')
    ? failures.map(({ message, reason }) => ({ policy: policyName, binding: bindingName, message, reason }))
    : []
}

/** Values that differ between bindings and parameters are told together. */
function collect(annotations: Map<string, Set<string>>, { policy }: ValidatingInvocation, { auditAnnotations }: Verdict): void {
  for (const { key, value } of auditAnnotations) {
    const name = `${policy.metadata.name}/${key}`
    const texts = annotations.get(name) ?? new Set()
    annotations.set(name, texts.add(value.slice(0, maxAnnotationBytes)))
  }
}

function refusal(request: AdmissionRequest, { policy, binding, message, reason }: Denial): ApiError {
  const by = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? '' : ` with binding '${binding}'`} denied request: ${message}`
  const { resource, name } = request
  const known: StatusReason = Object.hasOwn(reasonCodes, reason) ? (reason as StatusReason) : 'Invalid'
  return new ApiError(known, `${formatGroupResource(resource)} ${JSON.stringify(name)} is forbidden: ${by}`, {
    name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.resource,
    causes: [{ message: by }],
  })
}
