import { type AdmissionRequest, ApiError, formatGroupResource, isApiError, jsonEqual, type Registry, type Schema } from '@continuo/core'
import {
  AdmissionSubject,
  type AskAccess,
  activation,
  Decisions,
  isExempt,
  passesFailures,
  Reinvocation,
  type ResourceForm,
} from '@continuo/lib-admission'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '@continuo/workload'
import type { Invocation, Misconfigured, PolicySet } from '../policies/policy-set.ts'
import type { PolicyMetrics } from '../policy-metrics.ts'
import { type MutatingEvaluator, MutationError } from './mutating-evaluator.ts'

type Policy = MutatingAdmissionPolicy
type Binding = MutatingAdmissionPolicyBinding
type MutatingInvocation = Invocation<Policy, Binding, MutatingEvaluator>

interface Fault extends Misconfigured<Policy, Binding> {
  /** An expression failed, rather than what surrounds it. */
  readonly isInvalid?: boolean
}

/** Applies the MutatingAdmissionPolicies that a request concerns, one after the other, and once more those that want it when something changed after them. */
export class MutatingPolicies {
  readonly #policies: PolicySet<Policy, Binding, MutatingEvaluator>
  readonly #registry: Registry
  readonly #metrics: PolicyMetrics
  readonly #access: AskAccess | undefined
  /** Dies with the request. */
  readonly #reinvocations = new WeakMap<AdmissionRequest, Reinvocation>()

  constructor(
    policies: PolicySet<Policy, Binding, MutatingEvaluator>,
    registry: Registry,
    metrics: PolicyMetrics,
    access: AskAccess | undefined,
  ) {
    this.#policies = policies
    this.#registry = registry
    this.#metrics = metrics
    this.#access = access
  }

  /** Throws 403 when a policy that must not fail did. */
  async mutate(request: AdmissionRequest): Promise<void> {
    if (request.object === undefined || isExempt(request) || this.#policies.isEmpty(request.read)) return
    const subject = new AdmissionSubject(request, this.#registry)
    const { invocations, misconfigured } = this.#policies.select(subject)
    const faults: Fault[] = [...misconfigured]
    const reinvocation = this.#reinvocations.get(request) ?? new Reinvocation()
    this.#reinvocations.set(request, reinvocation)
    reinvocation.begin(request)
    const decisions = new Decisions(request.caller, this.#access)
    for (const invocation of invocations) {
      const id = idOf(invocation)
      if (!reinvocation.isDue(request, id)) continue
      const before = structuredClone(request.object)
      if (!(await this.#apply(subject, invocation, decisions, faults))) continue
      const wantsAgain = invocation.policy.spec?.reinvocationPolicy === 'IfNeeded'
      reinvocation.asked(request, id, { changed: !jsonEqual(before, request.object), wantsAgain })
    }
    reinvocation.end(request)
    const standing = faults.filter(({ policy }) => policy.spec?.failurePolicy !== 'Ignore' && !passesFailures(request))
    if (standing.length > 0) throw refusal(request, standing)
  }

  /** False when the conditions of the policy do not hold. */
  async #apply(subject: AdmissionSubject, invocation: MutatingInvocation, decisions: Decisions, faults: Fault[]): Promise<boolean> {
    const { policy, binding, evaluator, form, param } = invocation
    const observed = this.#metrics.timed('mutating', policy.metadata.name, binding.metadata.name)
    const valuesNow = async () => {
      const objects = await subject.in(form)
      return { objects, values: { ...activation(subject, form, objects, decisions), params: param } }
    }
    const { matches, error } = await evaluator.matches((await valuesNow()).values)
    if (error !== undefined) faults.push({ policy, binding, message: error, isInvalid: true })
    if (!matches || error !== undefined) return false
    const failed: { isError: true }[] = []
    for (const mutation of evaluator.mutations) {
      const { objects, values } = await valuesNow()
      if (objects.object === undefined) break
      try {
        const mutated = await evaluator.apply(mutation, values, objects.object, this.#schemaOf(subject, form))
        if (!jsonEqual(mutated, objects.object)) await subject.replace(mutated, form)
      } catch (fault) {
        if (!(fault instanceof MutationError) && !isApiError(fault)) throw fault
        failed.push({ isError: true })
        faults.push({ policy, binding, message: fault.message, isInvalid: true })
      }
    }
    observed(failed, ['deny'])
    return true
  }

  #schemaOf(subject: AdmissionSubject, form: ResourceForm): Schema | undefined {
    const served = this.#registry.resolve(form.resource)
    const subresource = served?.version.subresources?.find(({ name }) => name === subject.subresource)
    if (subresource === undefined || subresource.kind.kind === served?.gvk.kind) return served?.schema
    return subresource.type === 'connect' ? undefined : subresource.schema
  }
}

const idOf = ({ policy, binding, param }: MutatingInvocation): string =>
  JSON.stringify([policy.metadata.name, binding.metadata.name, param?.metadata.namespace, param?.metadata.name])

function refusal(request: AdmissionRequest, faults: readonly Fault[]): ApiError {
  const messages = faults.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy.metadata.name)} denied request: ${message}`
      : `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`,
  )
  const { resource, name } = request
  return new ApiError(
    faults[0]?.isInvalid === true ? 'Invalid' : 'Forbidden',
    messages[0] ?? `${formatGroupResource(resource)} ${JSON.stringify(name)} is forbidden`,
    {
      name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.resource,
      causes: messages.map((message) => ({ message })),
    },
    { status: 403 },
  )
}
