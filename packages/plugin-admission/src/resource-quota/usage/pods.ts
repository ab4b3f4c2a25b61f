import { type DeepReadonly, parseTime } from '@continuo/core'
import type { ExactQuantity } from '@continuo/lib-quantity'
import { type Container, type Pod, type PodAffinityTerm, qualityOfService } from '@continuo/workload'
import { type Amounts, one } from '../../amounts/amounts.ts'
import { podAmounts } from '../../amounts/pod-amounts.ts'
import type { Evaluator } from '../evaluator.ts'
import { matchesNames } from '../scopes.ts'

type PodView = DeepReadonly<Pod>

const plain = ['cpu', 'memory', 'ephemeral-storage'] as const
const fixed = new Set([
  'count/pods',
  'pods',
  ...plain,
  ...plain.map((name) => `requests.${name}`),
  ...plain.map((name) => `limits.${name}`),
])
/** Kubernetes once tied counting and saying together for these, and keeps to it. */
const mustBeSaid = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** `vendor.example/thing`: has a domain that is not Kubernetes' own. */
const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')

/** Counts pods, as long as they have not ended, and what they request and are limited to. */
export const podEvaluator: Evaluator = {
  handles: ({ operation, subresource }) =>
    subresource === undefined ? operation === 'CREATE' : subresource === 'resize' && operation === 'UPDATE',
  counts(name) {
    if (fixed.has(name) || isHugePages(name)) return true
    const request = name.startsWith('requests.') ? name.slice('requests.'.length) : undefined
    return request !== undefined && (isHugePages(request) || isExtended(request))
  },
  usage(object, now) {
    const pod = object as unknown as PodView
    const usage = new Map<string, ExactQuantity>([['count/pods', one]])
    if (hasEnded(pod, now)) return usage
    usage.set('pods', one)
    return computeUsage(podAmounts(pod.spec ?? { containers: [] }, 'requests'), podAmounts(pod.spec ?? { containers: [] }, 'limits'), usage)
  },
  inScope(scope, object) {
    const pod = object as unknown as PodView
    switch (scope.scopeName) {
      case 'Terminating':
        return pod.spec?.activeDeadlineSeconds !== undefined
      case 'NotTerminating':
        return pod.spec?.activeDeadlineSeconds === undefined
      case 'BestEffort':
        return isBestEffort(pod)
      case 'NotBestEffort':
        return !isBestEffort(pod)
      case 'PriorityClass':
        return matchesNames(scope, pod.spec?.priorityClassName ? [pod.spec.priorityClassName] : [])
      case 'CrossNamespacePodAffinity':
        return affinityTerms(pod).some(
          ({ namespaces, namespaceSelector }) => (namespaces ?? []).length > 0 || namespaceSelector !== undefined,
        )
      default:
        return false
    }
  },
  missing(names, object) {
    const { spec } = object as unknown as PodView
    const required = names.filter((name) => mustBeSaid.has(name)).sort()
    if (required.length === 0 || spec === undefined) return undefined
    const whole = saidBy(spec)
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => ({
      container,
      said: saidBy(container),
    }))
    const lacking = required.flatMap((name) => {
      if (whole.has(name)) return []
      const silent = containers.filter(({ said }) => !said.has(name)).map(({ container }) => container.name)
      return silent.length === 0 ? [] : [`${name} for: ${silent.sort().join(',')}`]
    })
    return lacking.length === 0 ? undefined : `must specify ${lacking.join('; ')}`
  },
}

function computeUsage(requests: Amounts, limits: Amounts, usage: Map<string, ExactQuantity>): Amounts {
  for (const [name, amount] of requests) {
    if ((plain as readonly string[]).includes(name) || isHugePages(name)) usage.set(name, amount)
    if ((plain as readonly string[]).includes(name) || isHugePages(name) || isExtended(name)) usage.set(`requests.${name}`, amount)
  }
  for (const name of plain) {
    const limit = limits.get(name)
    if (limit !== undefined) usage.set(`limits.${name}`, limit)
  }
  return usage
}

/** The names of a quota for which a container, or the pod as a whole, says something. */
function saidBy({ resources }: DeepReadonly<Pick<Container, 'resources'>>): ReadonlySet<string> {
  const requests = Object.keys(resources?.requests ?? {})
  return new Set([
    ...requests,
    ...requests.map((name) => `requests.${name}`),
    ...Object.keys(resources?.limits ?? {}).map((name) => `limits.${name}`),
  ])
}

/** Ended, or overdue to be gone: its node may be lost, and it must not hold the quota for ever. */
function hasEnded({ status, metadata }: PodView, now: number): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return true
  if (metadata.deletionTimestamp === undefined) return false
  return now > parseTime(metadata.deletionTimestamp) + (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}

const isBestEffort = ({ spec }: PodView): boolean => qualityOfService(spec ?? { containers: [] }) === 'BestEffort'

function affinityTerms({ spec }: PodView): readonly DeepReadonly<PodAffinityTerm>[] {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ podAffinityTerm }) =>
      podAffinityTerm === undefined ? [] : [podAffinityTerm],
    ),
  ])
}
