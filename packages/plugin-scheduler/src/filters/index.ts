import type { BuiltInFilter } from './built-in.ts'
import { nodeAffinity, nodeName } from './node-affinity.ts'
import { nodePorts } from './node-ports.ts'
import { podAffinity } from './pod-affinity.ts'
import { resourcesFit } from './resources-fit.ts'
import { nodeUnschedulable, taintToleration } from './taint-toleration.ts'
import { topologySpread } from './topology-spread.ts'

/** The scheduler's own filters in the order in which they are asked: the first that rejects a node explains it. */
export const builtInFilters: readonly BuiltInFilter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit,
  topologySpread,
  podAffinity,
]
