import type { DeepReadonly } from '@continuo/core'
import type { Pod, WeightedPodAffinityTerm } from '@continuo/workload'
import { affinityTerm } from '../filters/pod-affinity.ts'
import { domainOf } from '../filters/topology-spread.ts'
import type { BuiltInScore } from './built-in.ts'

/** Preferred affinity to and anti-affinity from other pods: each pod that a term picks counts the term's weight, for or against its domain. */
export const podAffinityPreference: BuiltInScore = {
  name: 'podAffinity',
  weight: 2,
  prepare: ({ pod, snapshot }, feasible) => {
    const terms = [
      ...weighted(pod, pod.spec?.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
      ...weighted(pod, pod.spec?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
    ]
    if (terms.length === 0) return []
    const sums = terms.map(() => new Map<string, number>())
    for (const node of snapshot.nodes) {
      terms.forEach(({ topologyKey, matches, weight }, index) => {
        const domain = domainOf(node.node, topologyKey)
        if (domain === undefined) return
        const count = node.pods.reduce((total, other) => (matches(other) ? total + 1 : total), 0)
        if (count > 0) sums[index]?.set(domain, (sums[index]?.get(domain) ?? 0) + count * weight)
      })
    }
    const raw = (node: (typeof feasible)[number]['node']): number =>
      terms.reduce((total, { topologyKey }, index) => total + (sums[index]?.get(domainOf(node, topologyKey) ?? '') ?? 0), 0)
    const scores = feasible.map(({ node }) => raw(node))
    const [least, most] = [Math.min(...scores), Math.max(...scores)]
    return [{ scorer: ({ node }) => (most === least ? 0 : Math.trunc((100 * (raw(node) - least)) / (most - least))) }]
  },
}

const weighted = (pod: DeepReadonly<Pod>, terms: DeepReadonly<WeightedPodAffinityTerm[]> | undefined, sign: 1 | -1) =>
  (terms ?? []).map(({ podAffinityTerm, weight }) => ({ ...affinityTerm(podAffinityTerm, pod), weight: sign * weight }))
