import {
  type AdmissionRequest,
  type DeepReadonly,
  definePlugin,
  forbidden,
  invalid,
  jsonEqual,
  Namespace,
  type PluginContext,
  type UnstructuredObject,
} from '@continuo/core'
import { Pod } from '@continuo/workload'
import { z } from 'zod'
import type { CheckedPod, Violation } from './checks/check.ts'
import { evaluate, inDetail } from './evaluate.ts'
import { exemptWarning, existingPodWarnings } from './namespace-warnings.ts'
import { asPod, isSignificant, templateIn } from './pod-of.ts'
import {
  compareLevels,
  formatStandard,
  isFullyPrivileged,
  type Mode,
  type Policy,
  parseVersion,
  policyOf,
  type Standard,
  sameStandard,
} from './policy.ts'

/** Where the audit log is told. */
const annotations = 'pod-security.kubernetes.io/'

const level = z.enum(['privileged', 'baseline', 'restricted']).default('privileged')
const version = z
  .string()
  .refine((text) => parseVersion(text) !== undefined, 'must be "latest" or "v1.x"')
  .default('latest')

export const podSecurityConfig = z
  .strictObject({
    enforce: level.describe('Level that pods are held to in namespaces without the label.'),
    enforceVersion: version.describe('Version of that level: `latest` or `v1.x`.'),
    audit: level.describe('Level whose violations are counted and logged where there is no label.'),
    auditVersion: version.describe('Version of that level.'),
    warn: level.describe('Level whose violations are warned about where there is no label.'),
    warnVersion: version.describe('Version of that level.'),
    exemptNamespaces: z.array(z.string()).default([]).describe('Namespaces of which nothing is asked.'),
    exemptUsernames: z.array(z.string()).default([]).describe('Users of whom nothing is asked.'),
    exemptRuntimeClasses: z.array(z.string()).default([]).describe('Runtime classes whose pods are not checked.'),
  })
  .prefault({})

type Config = z.infer<typeof podSecurityConfig>

/** Subresources of pods that change nothing a check looks at. */
const ignored = new Set(['attach', 'binding', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'resize', 'status'])

/** Holds pods to the level of the Pod Security Standards that their namespace asks for by its labels. */
export const podSecurity = definePlugin({
  name: 'pod-security',
  api: '^1',
  config: podSecurityConfig,
  permissions: [{ apiGroups: [''], resources: ['namespaces', 'pods'], verbs: ['get', 'list'] }],
  setup(ctx) {
    const gate = new PodSecurity(ctx)
    ctx.admission({ reads: [Namespace, Pod], validate: (request) => gate.validate(request) })
  },
})

class PodSecurity {
  readonly #ctx: PluginContext<Config>
  readonly #defaults: Policy
  readonly #evaluations: ReturnType<PluginContext['metrics']['counter']>

  constructor(ctx: PluginContext<Config>) {
    const { config } = ctx
    const standard = (mode: Mode): Standard => ({ level: config[mode], version: parseVersion(config[`${mode}Version`]) ?? 'latest' })
    this.#ctx = ctx
    this.#defaults = { enforce: standard('enforce'), audit: standard('audit'), warn: standard('warn') }
    this.#evaluations = ctx.metrics.counter('pod_security_evaluations_total', 'Evaluations of pods against the Pod Security Standards', [
      'decision',
      'mode',
      'policy_level',
      'policy_version',
      'resource',
    ])
  }

  validate(request: AdmissionRequest): void {
    const { operation, resource, subresource } = request
    if (operation !== 'CREATE' && operation !== 'UPDATE') return
    const core = resource.group === ''
    if (core && resource.resource === 'pods') {
      if (subresource === undefined || !ignored.has(subresource)) this.#validatePod(request)
    } else if (subresource !== undefined) return
    else if (core && resource.resource === 'namespaces') this.#validateNamespace(request)
    else this.#validateTemplate(request)
  }

  #validatePod(request: AdmissionRequest): void {
    const policy = this.#policyFor(request)
    if (policy === undefined || isFullyPrivileged(policy)) return
    const pod = asPod(request.object as CheckedPod | undefined)
    if (pod === undefined || this.#isExemptClass(pod)) return
    const before = request.operation === 'UPDATE' ? asPod(request.oldObject as CheckedPod | undefined) : undefined
    if (before !== undefined && !isSignificant(pod.spec, before.spec)) return
    const refused = this.#evaluate(request, 'enforce', policy.enforce, pod)
    request.annotate(`${annotations}enforce-policy`, formatStandard(policy.enforce))
    this.#audit(request, policy.audit, pod)
    if (refused.length > 0)
      throw forbidden(
        request.resource,
        request.name,
        `violates PodSecurity ${JSON.stringify(formatStandard(policy.enforce))}: ${inDetail(refused)}`,
      )
    this.#warn(request, policy.warn, pod)
  }

  /** Pods of a template are not there yet: whoever writes it is warned, and nothing is refused. */
  #validateTemplate(request: AdmissionRequest): void {
    const extract = templateIn(request.resource)
    if (extract === undefined) return
    const policy = this.#policyFor(request)
    if (policy === undefined || (policy.audit.level === 'privileged' && policy.warn.level === 'privileged')) return
    const pod = asPod(extract(request.object as Parameters<typeof extract>[0]))
    if (pod === undefined || this.#isExemptClass(pod)) return
    this.#audit(request, policy.audit, pod)
    this.#warn(request, policy.warn, pod)
  }

  #validateNamespace(request: AdmissionRequest): void {
    const { object, oldObject, name, operation } = request
    const labels = object?.metadata.labels
    const next = policyOf(labels, this.#defaults)
    const old =
      operation === 'UPDATE' ? policyOf((oldObject as DeepReadonly<UnstructuredObject>).metadata.labels, this.#defaults) : undefined
    // Whoever changes something else does not have to mend labels that were wrong before.
    if (next.errors.length > 0 && !jsonEqual(next.errors, old?.errors)) throw invalid(request.kind, name, next.errors)
    const { enforce } = next.policy
    if (this.#ctx.config.exemptNamespaces.includes(name)) {
      const text = exemptWarning(name, next.policy, this.#defaults, labels)
      if (text !== undefined && (old === undefined || !sameStandard(enforce, old.policy.enforce))) request.warn(text)
      return
    }
    if (old === undefined || !isStricter(enforce, old.policy.enforce)) return
    const pods = request.read.list(Pod, name).filter(({ spec }) => spec === undefined || !this.#isExemptClass({ spec }))
    for (const text of existingPodWarnings(name, pods, enforce)) request.warn(text)
  }

  /** `undefined` when nothing is asked of this request. */
  #policyFor({ namespace, caller, read }: AdmissionRequest): Policy | undefined {
    const { exemptNamespaces, exemptUsernames } = this.#ctx.config
    if (exemptNamespaces.includes(namespace) || exemptUsernames.includes(caller.user.username)) return undefined
    return policyOf(read.get(Namespace, { namespace: '', name: namespace })?.metadata.labels, this.#defaults).policy
  }

  #isExemptClass({ spec }: CheckedPod): boolean {
    return spec.runtimeClassName !== undefined && this.#ctx.config.exemptRuntimeClasses.includes(spec.runtimeClassName)
  }

  #evaluate(request: AdmissionRequest, mode: Mode, standard: Standard, pod: CheckedPod): readonly Violation[] {
    if (standard.level === 'privileged') return []
    const violations = evaluate(standard, pod)
    const [policyLevel, policyVersion] = formatStandard(standard).split(':') as [string, string]
    if (mode === 'enforce' || violations.length > 0)
      this.#evaluations.inc({
        decision: violations.length === 0 ? 'allow' : 'deny',
        mode,
        policy_level: policyLevel,
        policy_version: policyVersion,
        resource: request.resource.resource === 'pods' ? 'pod' : 'controller',
      })
    return violations
  }

  #warn(request: AdmissionRequest, standard: Standard, pod: CheckedPod): void {
    const violations = this.#evaluate(request, 'warn', standard, pod)
    if (violations.length > 0)
      request.warn(`would violate PodSecurity ${JSON.stringify(formatStandard(standard))}: ${inDetail(violations)}`)
  }

  #audit(request: AdmissionRequest, standard: Standard, pod: CheckedPod): void {
    const violations = this.#evaluate(request, 'audit', standard, pod)
    if (violations.length === 0) return
    const { resource, namespace, name, caller } = request
    const text = `would violate PodSecurity ${JSON.stringify(formatStandard(standard))}: ${inDetail(violations)}`
    request.annotate(`${annotations}audit-violations`, text)
    this.#ctx.log.info({ resource: resource.resource, namespace, name, user: caller.user.username, violations: text }, 'pod security audit')
  }
}

/** True when pods that were let in before may be refused now. */
const isStricter = (next: Standard, old: Standard): boolean =>
  next.level !== 'privileged' && !sameStandard(next, old) && !(next.version === old.version && compareLevels(next.level, old.level) <= 0)
