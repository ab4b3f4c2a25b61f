import { type DeepReadonly, type FieldError, fieldError, labelKeyFaults, labelValueFaults, validateLabels } from '@continuo/core'
import type {
  Affinity,
  PodAffinityTerm,
  PodSpec,
  PodTemplateSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/types/core-v1.ts'
import { each } from '../rules/each.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isQualifiedName } from '../rules/names.ts'
import { checkLabelSelector } from '../rules/selectors.ts'
import { checkAddress, checkAmounts, checkNotNegative, checkOneOf } from '../rules/values.ts'
import { checkContainer, podScope } from './check-container.ts'
import { checkNodeSelector, checkNodeTerm } from './check-node-selector.ts'
import { checkPodSecurity } from './check-security.ts'
import { checkSurroundings } from './check-surroundings.ts'
import { checkVolumes } from './check-volume.ts'

/** The spec of a pod or of a template (`pkg/apis/core/validation`, ValidatePodSpec). It has been defaulted. */
export function checkPodSpec(spec: DeepReadonly<PodSpec>, path: string, errors: FieldError[]): void {
  checkVolumes(spec.volumes, `${path}.volumes`, errors)
  const scope = podScope(spec)
  if ((spec.containers ?? []).length === 0) errors.push(fieldError.required(`${path}.containers`))
  each(spec.containers, `${path}.containers`, (container, at) => checkContainer(container, at, 'containers', scope, errors))
  each(spec.initContainers, `${path}.initContainers`, (container, at) => checkContainer(container, at, 'initContainers', scope, errors))
  each(spec.ephemeralContainers, `${path}.ephemeralContainers`, (container, at) =>
    checkContainer(container, at, 'ephemeralContainers', scope, errors),
  )
  checkOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`, errors)
  checkOneOf(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${path}.dnsPolicy`, errors)
  if (spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers?.length ?? 0) === 0)
    errors.push(fieldError.required(`${path}.dnsConfig.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors)
  checkNotNegative(spec.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`, errors)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647))
    errors.push(fieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'))
  for (const [field, rule] of [
    ['serviceAccountName', isDnsSubdomain],
    ['nodeName', isDnsSubdomain],
    ['hostname', isDnsLabel],
    ['subdomain', isDnsLabel],
    ['schedulerName', isQualifiedName],
    ['priorityClassName', isDnsSubdomain],
    ['runtimeClassName', isDnsSubdomain],
  ] as const) {
    const value = spec[field]
    if (value) checkName(rule, value, `${path}.${field}`, errors)
  }
  checkPodSecurity(spec.securityContext, `${path}.securityContext`, errors)
  checkSurroundings(spec, path, errors)
  checkAmounts(spec.overhead, `${path}.overhead`, errors)
  each(spec.tolerations, `${path}.tolerations`, (toleration, at) => checkToleration(toleration, at, errors))
  spec.hostAliases?.forEach((alias, index) => {
    checkAddress(alias.ip, `${path}.hostAliases[${index}].ip`, errors)
    each(alias.hostnames, `${path}.hostAliases[${index}].hostnames`, (name, at) => checkName(isDnsSubdomain, name, at, errors))
  })
  const spreads = new Set<string>()
  each(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, (constraint, at) => {
    checkSpread(constraint, at, errors)
    const identity = `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`
    if (spreads.has(identity)) errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, identity))
    spreads.add(identity)
  })
  if (spec.affinity !== undefined) checkAffinity(spec.affinity, `${path}.affinity`, errors)
  each(spec.readinessGates, `${path}.readinessGates`, (gate, at) =>
    checkName(isQualifiedName, gate.conditionType, `${at}.conditionType`, errors),
  )
  const gates = new Set<string>()
  spec.schedulingGates?.forEach((gate, index) => {
    checkName(isQualifiedName, gate.name, `${path}.schedulingGates[${index}].name`, errors)
    if (gates.has(gate.name)) errors.push(fieldError.duplicate(`${path}.schedulingGates[${index}].name`, gate.name))
    gates.add(gate.name)
  })
}

/** The template of a workload: its labels and its spec, with the restart policies that the workload allows. */
export function checkTemplate(
  template: DeepReadonly<PodTemplateSpec> | undefined,
  path: string,
  restartPolicies: readonly string[],
  errors: FieldError[],
): void {
  if (template === undefined) {
    errors.push(fieldError.required(path))
    return
  }
  validateLabels(template.metadata?.labels, `${path}.labels`, errors)
  for (const key of Object.keys(template.metadata?.annotations ?? {}))
    for (const fault of labelKeyFaults(key.toLowerCase())) errors.push(fieldError.invalid(`${path}.annotations`, key, fault))
  const spec = template.spec
  checkPodSpec(spec ?? { containers: [] }, `${path}.spec`, errors)
  if (spec?.restartPolicy !== undefined && !restartPolicies.includes(spec.restartPolicy))
    errors.push(fieldError.notSupported(`${path}.spec.restartPolicy`, spec.restartPolicy, restartPolicies))
  if ((spec?.ephemeralContainers?.length ?? 0) > 0)
    errors.push(fieldError.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  if (restartPolicies.length === 1 && spec?.activeDeadlineSeconds !== undefined)
    errors.push(fieldError.forbidden(`${path}.spec.activeDeadlineSeconds`, 'activeDeadlineSeconds in ReplicaSet is not Supported'))
}

function checkToleration(toleration: DeepReadonly<Toleration>, path: string, errors: FieldError[]): void {
  const { key, operator, value, effect, tolerationSeconds } = toleration
  if (key) checkName(isQualifiedName, key, `${path}.key`, errors)
  else if (operator !== 'Exists')
    errors.push(
      fieldError.invalid(
        `${path}.operator`,
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    )
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    errors.push(fieldError.invalid(`${path}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  if (operator === 'Exists') {
    if (value)
      errors.push(
        fieldError.invalid(`${path}.operator`, { key, operator, value, effect }, "value must be empty when `operator` is 'Exists'"),
      )
  } else if (operator === undefined || operator === 'Equal') {
    for (const fault of labelValueFaults(value ?? '')) errors.push(fieldError.invalid(`${path}.operator`, value, fault))
  } else errors.push(fieldError.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  if (effect) checkOneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`, errors)
}

function checkSpread(constraint: DeepReadonly<TopologySpreadConstraint>, path: string, errors: FieldError[]): void {
  if (!(constraint.maxSkew > 0)) errors.push(fieldError.invalid(`${path}.maxSkew`, constraint.maxSkew, 'must be greater than zero'))
  if (!constraint.topologyKey) errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'))
  checkOneOf(constraint.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], `${path}.whenUnsatisfiable`, errors)
  if (constraint.minDomains !== undefined && constraint.minDomains <= 0)
    errors.push(fieldError.invalid(`${path}.minDomains`, constraint.minDomains, 'must be greater than zero'))
  if (constraint.minDomains !== undefined && constraint.whenUnsatisfiable !== 'DoNotSchedule')
    errors.push(
      fieldError.invalid(
        `${path}.minDomains`,
        constraint.minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${constraint.whenUnsatisfiable}`,
      ),
    )
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const)
    checkOneOf(constraint[field], ['Honor', 'Ignore'], `${path}.${field}`, errors, false)
  checkLabelSelector(constraint.labelSelector, `${path}.labelSelector`, errors)
}

function checkAffinity({ nodeAffinity, podAffinity, podAntiAffinity }: DeepReadonly<Affinity>, path: string, errors: FieldError[]): void {
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required !== undefined) checkNodeSelector(required, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`, errors)
  nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, index) => {
    const preferred = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
    checkWeight(weight, `${preferred}.weight`, errors)
    checkNodeTerm(preference, `${preferred}.preference`, errors)
  })
  for (const [name, rules] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    each(
      rules?.requiredDuringSchedulingIgnoredDuringExecution,
      `${path}.${name}.requiredDuringSchedulingIgnoredDuringExecution`,
      (term, at) => checkPodTerm(term, at, errors),
    )
    rules?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, index) => {
      const preferred = `${path}.${name}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
      checkWeight(weight, `${preferred}.weight`, errors)
      checkPodTerm(podAffinityTerm, `${preferred}.podAffinityTerm`, errors)
    })
  }
}

const checkWeight = (weight: number, path: string, errors: FieldError[]): void => {
  if (!(weight >= 1 && weight <= 100)) errors.push(fieldError.invalid(path, weight, 'must be in the range 1-100'))
}

function checkPodTerm(term: DeepReadonly<PodAffinityTerm>, path: string, errors: FieldError[]): void {
  if (!term.topologyKey) errors.push(fieldError.required(`${path}.topologyKey`, 'can not be empty'))
  checkLabelSelector(term.labelSelector, `${path}.labelSelector`, errors)
  checkLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, errors)
  for (const namespace of term.namespaces ?? []) checkName(isDnsLabel, namespace, `${path}.namespace`, errors)
}
