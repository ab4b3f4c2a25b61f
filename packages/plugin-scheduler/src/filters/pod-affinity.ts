import { compileLabelSelector, type DeepReadonly, type LabelPredicate } from '@continuo/core'
import type { Pod, PodAffinityTerm } from '@continuo/workload'
import type { NodeInfo } from '../snapshot/node-info.ts'
import type { BuiltInAttempt, BuiltInFilter } from './built-in.ts'
import { domainOf } from './topology-spread.ts'

type PodView = DeepReadonly<Pod>
type TermView = DeepReadonly<PodAffinityTerm>

/** A term, ready to be matched against pods. */
export interface AffinityTerm {
  readonly topologyKey: string
  matches(pod: PodView): boolean
}

/**
 * Compiles a term of `pod`. Namespaces: those named, else the pod's own; an empty namespace selector stands for all.
 * `matchLabelKeys` and `mismatchLabelKeys` take their values from the pod (KEP-3633).
 */
export function affinityTerm(term: TermView, pod: PodView): AffinityTerm {
  const selects = selectorOf(term, pod)
  const everywhere = term.namespaceSelector !== undefined && Object.keys(term.namespaceSelector).length === 0
  const named = term.namespaces ?? []
  const namespaces = new Set(named.length > 0 || term.namespaceSelector !== undefined ? named : [pod.metadata.namespace ?? ''])
  return {
    topologyKey: term.topologyKey,
    matches: (other) => (everywhere || namespaces.has(other.metadata.namespace ?? '')) && selects(other.metadata.labels),
  }
}

function selectorOf({ labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: TermView, pod: PodView): LabelPredicate {
  if (labelSelector === undefined) return () => false
  const by = (keys: readonly string[], operator: 'In' | 'NotIn') =>
    keys.flatMap((key) => (pod.metadata.labels?.[key] === undefined ? [] : [{ key, operator, values: [pod.metadata.labels[key]] }]))
  return compileLabelSelector({
    ...labelSelector,
    matchExpressions: [...(labelSelector.matchExpressions ?? []), ...by(matchLabelKeys, 'In'), ...by(mismatchLabelKeys, 'NotIn')],
  })
}

export const requiredAffinity = (pod: PodView): readonly AffinityTerm[] =>
  (pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => affinityTerm(term, pod))

export const requiredAntiAffinity = (pod: PodView): readonly AffinityTerm[] =>
  (pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => affinityTerm(term, pod))

/** Topology domains, as `key=value`, that hold a pod for which the test is true. */
function domainsWith(nodes: readonly NodeInfo[], topologyKey: string, test: (pod: PodView) => boolean): ReadonlySet<string> {
  const domains = new Set<string>()
  for (const node of nodes) {
    const domain = domainOf(node.node, topologyKey)
    if (domain !== undefined && !domains.has(domain) && node.pods.some(test)) domains.add(domain)
  }
  return domains
}

/** Domains from which pods that stand there already keep this one by their own anti-affinity, by topology key. */
function repellingDomains({ pod, snapshot }: BuiltInAttempt): ReadonlyMap<string, ReadonlySet<string>> {
  const repelling = new Map<string, Set<string>>()
  for (const name of snapshot.nodesWithAntiAffinity()) {
    const node = snapshot.node(name)
    for (const other of node?.pods ?? []) {
      for (const term of requiredAntiAffinity(other)) {
        const domain = node === undefined ? undefined : domainOf(node.node, term.topologyKey)
        if (domain === undefined || !term.matches(pod)) continue
        repelling.set(term.topologyKey, (repelling.get(term.topologyKey) ?? new Set()).add(domain))
      }
    }
  }
  return repelling
}

interface Prepared extends AffinityTerm {
  readonly domains: ReadonlySet<string>
}

/** Required affinity to and anti-affinity from other pods, and the anti-affinity of those that stand already. */
export const podAffinity: BuiltInFilter = {
  name: 'InterPodAffinity',
  prepare: (attempt) => {
    const { pod, snapshot } = attempt
    const prepare = (term: AffinityTerm): Prepared => ({ ...term, domains: domainsWith(snapshot.nodes, term.topologyKey, term.matches) })
    const near = requiredAffinity(pod).map(prepare)
    const far = requiredAntiAffinity(pod).map(prepare)
    const repelling = [...repellingDomains(attempt)]
    if (near.length === 0 && far.length === 0 && repelling.length === 0) return undefined
    // The first pod of a group that wants to be together may begin anywhere.
    const founds = near.length > 0 && near.every(({ domains, matches }) => domains.size === 0 && matches(pod))
    return ({ node }) => {
      const inside = (key: string, domains: ReadonlySet<string>): boolean => domains.has(domainOf(node, key) ?? '')
      if (
        near.some(({ topologyKey }) => domainOf(node, topologyKey) === undefined) ||
        (!founds && near.some(({ topologyKey, domains }) => !inside(topologyKey, domains)))
      )
        return { reason: "node(s) didn't match pod affinity rules", retriable: false }
      if (far.some(({ topologyKey, domains }) => inside(topologyKey, domains)))
        return { reason: "node(s) didn't match pod anti-affinity rules" }
      if (repelling.some(([key, domains]) => inside(key, domains)))
        return { reason: "node(s) didn't satisfy existing pods anti-affinity rules" }
      return undefined
    }
  },
}
