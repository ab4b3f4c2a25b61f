import { compileTerm } from '../filters/node-affinity.ts'
import { tolerates } from '../filters/tolerations.ts'
import type { BuiltInScore } from './built-in.ts'

/** Prefers nodes with fewer `PreferNoSchedule` taints that the pod does not tolerate. */
export const taintPreference: BuiltInScore = {
  name: 'taints',
  weight: 3,
  prepare: ({ pod }, feasible) => {
    if (!feasible.some(({ node }) => node.spec?.taints?.some((taint) => taint.effect === 'PreferNoSchedule') === true)) return []
    const tolerations = pod.spec?.tolerations ?? []
    return [
      {
        normalize: 'reverse',
        scorer: ({ node }) =>
          (node.spec?.taints ?? []).filter(
            (taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((each) => tolerates(each, taint)),
          ).length,
      },
    ]
  },
}

/** Preferred node affinity: the weights of the terms that hold. */
export const affinityPreference: BuiltInScore = {
  name: 'nodeAffinity',
  weight: 2,
  prepare: ({ pod }) => {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    if (preferred.length === 0) return []
    const terms = preferred.map(({ preference, weight }) => ({ weight, matches: compileTerm(preference) }))
    return [{ normalize: 'max', scorer: ({ node }) => terms.reduce((sum, { weight, matches }) => (matches(node) ? sum + weight : sum), 0) }]
  },
}
