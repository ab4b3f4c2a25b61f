import type { BuiltInFilter } from './built-in.ts'
import { tolerates, untolerated } from './tolerations.ts'

const repelling = ['NoSchedule', 'NoExecute']

/** Taints that keep pods away, unless the pod tolerates them. */
export const taintToleration: BuiltInFilter = {
  name: 'TaintToleration',
  prepare: ({ pod }) => {
    const tolerations = pod.spec?.tolerations
    return ({ node }) => {
      const taints = node.spec?.taints
      if (taints === undefined || taints.length === 0) return undefined
      const taint = untolerated(taints, tolerations, repelling)
      return taint === undefined
        ? undefined
        : { reason: `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`, retriable: false }
    }
  },
}

const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }

/** Cordoned nodes take no new pods, but for those that tolerate the taint of the same meaning. */
export const nodeUnschedulable: BuiltInFilter = {
  name: 'NodeUnschedulable',
  prepare: ({ pod }) => {
    if (pod.spec?.tolerations?.some((toleration) => tolerates(toleration, cordon)) === true) return undefined
    return ({ node }) => (node.spec?.unschedulable === true ? { reason: 'node(s) were unschedulable', retriable: false } : undefined)
  },
}
