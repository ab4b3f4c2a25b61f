import type { DeepReadonly } from '@continuo/core'
import type { Node, Pod } from '@continuo/workload'
import { requiredNodes } from '../filters/node-affinity.ts'
import { untolerated } from '../filters/tolerations.ts'
import { hostPorts } from '../snapshot/node-info.ts'

/** A change of the cluster that may let a waiting pod fit. */
export type ClusterEvent =
  | { readonly type: 'node-added'; readonly node: DeepReadonly<Node> }
  | { readonly type: 'node-updated'; readonly node: DeepReadonly<Node>; readonly old: DeepReadonly<Node> }
  | { readonly type: 'pod-placed'; readonly pod: DeepReadonly<Pod> }
  | { readonly type: 'pod-freed'; readonly pod: DeepReadonly<Pod> }
  /** Something of which nothing is known: every waiting pod is tried again. */
  | { readonly type: 'anything' }

type NodeEvent = Extract<ClusterEvent, { node: unknown }>

const isNodeEvent = (event: ClusterEvent): event is NodeEvent => event.type === 'node-added' || event.type === 'node-updated'

const changed = (event: NodeEvent, read: (node: DeepReadonly<Node>) => unknown): boolean =>
  event.type === 'node-added' || JSON.stringify(read(event.node)) !== JSON.stringify(read(event.old))

const repelling = ['NoSchedule', 'NoExecute']

/** Whether an event may make a rule accept a pod that it rejected. A rule that is not here may change its mind at any event. */
const hints: Readonly<Record<string, (pod: DeepReadonly<Pod>, event: ClusterEvent) => boolean>> = {
  NodeUnschedulable: (_, event) => isNodeEvent(event) && event.node.spec?.unschedulable !== true,
  NodeName: (pod, event) => event.type === 'node-added' && event.node.metadata.name === pod.spec?.nodeName,
  TaintToleration: (pod, event) =>
    isNodeEvent(event) &&
    changed(event, (node) => node.spec?.taints) &&
    untolerated(event.node.spec?.taints, pod.spec?.tolerations, repelling) === undefined,
  NodeAffinity: (pod, event) =>
    isNodeEvent(event) && changed(event, (node) => node.metadata.labels) && (requiredNodes(pod)?.(event.node) ?? true),
  NodePorts: (_, event) => event.type === 'node-added' || (event.type === 'pod-freed' && hostPorts(event.pod).length > 0),
  NodeResourcesFit: (_, event) => event.type === 'pod-freed' || (isNodeEvent(event) && changed(event, (node) => node.status?.allocatable)),
  InterPodAffinity: (_, event) => !isNodeEvent(event) || changed(event, (node) => node.metadata.labels),
  PodTopologySpread: (pod, event) =>
    isNodeEvent(event)
      ? changed(event, (node) => node.metadata.labels)
      : event.type === 'anything' || event.pod.metadata.namespace === pod.metadata.namespace,
}

/** True when a pod that these rules rejected is worth another try after the event. */
export function mayHelp(pod: DeepReadonly<Pod>, rejectedBy: ReadonlySet<string>, event: ClusterEvent): boolean {
  if (event.type === 'anything' || rejectedBy.size === 0) return true
  for (const rule of rejectedBy) if (hints[rule]?.(pod, event) ?? true) return true
  return false
}
