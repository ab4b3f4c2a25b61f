import type { PriorityClass } from '@continuo/workload'

const apiVersion = 'scheduling.k8s.io/v1'

/** The classes that every cluster has: for what a cluster or a node cannot do without. */
export const systemClasses: readonly PriorityClass[] = [
  {
    apiVersion,
    kind: 'PriorityClass',
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    apiVersion,
    kind: 'PriorityClass',
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
]

export const isSystemClass = (name: string): boolean => systemClasses.some(({ metadata }) => metadata.name === name)
