import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import { isQuantity, parseQuantity } from '@continuo/lib-quantity'
import type { ResourceQuotaSpec } from '../../generated/types/core-v1.ts'
import { checkAmounts } from '../../rules/values.ts'

const computed = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`])
const counted = [
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
]
const standard = new Set([...computed, ...counted, 'requests.storage'])
const ofPods = new Set([...computed, 'pods', 'count/pods'])
const isHugePages = (name: string): boolean => /^(requests\.)?hugepages-/.test(name)

/** What scopes may be applied to: pods, or claims. Pods that ask for nothing can be counted and nothing else. */
const scopes: Readonly<Record<string, (name: string) => boolean>> = {
  BestEffort: (name) => name === 'pods' || name === 'count/pods',
  NotBestEffort: (name) => ofPods.has(name),
  Terminating: (name) => ofPods.has(name),
  NotTerminating: (name) => ofPods.has(name),
  PriorityClass: (name) => ofPods.has(name),
  CrossNamespacePodAffinity: (name) => ofPods.has(name),
  VolumeAttributesClass: (name) =>
    /^(count\/)?persistentvolumeclaims$|(^|\/)requests\.storage$|\.storageclass\.storage\.k8s\.io\/persistentvolumeclaims$/.test(name),
}
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

/** What a quota may limit, in which scopes (`pkg/apis/core/validation`, ValidateResourceQuotaSpec). */
export function checkResourceQuota(spec: DeepReadonly<ResourceQuotaSpec>, errors: FieldError[]): void {
  checkAmounts(spec.hard, 'spec.hard', errors)
  for (const [name, amount] of Object.entries(spec.hard ?? {})) {
    const path = `spec.hard[${name}]`
    if (!name.includes('/') && !standard.has(name) && !isHugePages(name))
      errors.push(
        fieldError.invalid(path, name, 'must be a standard resource type or fully qualified'),
        fieldError.invalid(path, name, 'must be a standard resource for quota'),
      )
    if ((counted.includes(name) || name.startsWith('count/')) && isQuantity(amount) && parseQuantity(amount).nano % 1_000_000_000n !== 0n)
      errors.push(fieldError.invalid(path, amount, 'must be an integer'))
  }
  checkScopes(spec, spec.scopes ?? [], 'spec.scopes', errors)
  const selected = (spec.scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName)
  checkScopes(spec, selected, 'spec.scopeSelector.matchExpressions', errors)
}

function checkScopes({ hard }: DeepReadonly<ResourceQuotaSpec>, names: readonly string[], path: string, errors: FieldError[]): void {
  for (const name of names) {
    const applies = Object.hasOwn(scopes, name) ? scopes[name] : undefined
    if (applies === undefined) errors.push(fieldError.invalid(path, names, 'unsupported scope'))
    else if (!Object.keys(hard ?? {}).every(applies)) errors.push(fieldError.invalid(path, names, 'unsupported scope applied to resource'))
  }
  for (const pair of opposites)
    if (pair.every((name) => names.includes(name))) errors.push(fieldError.invalid(path, names, 'conflicting scopes'))
}
