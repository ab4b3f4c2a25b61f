import { formatTime } from '@continuo/core'
import type { Node, NodeCondition, NodeStatus } from '@continuo/workload'
import type { Machine } from './machine.ts'

export interface NodeFacts {
  readonly name: string
  readonly machine: Machine
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly maxPods: number
  readonly address: string
  readonly runtime: { readonly name: string; readonly version: string }
  readonly agentVersion: string
  /** Why the runtime cannot work; undefined when it can. */
  readonly runtimeProblem?: string
  readonly now: number
}

/** The node as the agent registers it. */
export const nodeObject = (facts: NodeFacts): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: facts.name, labels: nodeLabels(facts) },
  spec:
    facts.taints.length === 0
      ? {}
      : { taints: facts.taints.map((taint) => ({ ...taint })) as NonNullable<NonNullable<Node['spec']>['taints']> },
})

export const nodeLabels = (facts: NodeFacts): Record<string, string> => ({
  'kubernetes.io/hostname': facts.name,
  'kubernetes.io/os': facts.machine.os,
  'kubernetes.io/arch': facts.machine.architecture,
  ...facts.labels,
})

/** Status of the node now; condition times move only when a condition changes, except for the heartbeat. */
export function nodeStatus(facts: NodeFacts, before: NodeStatus | undefined): NodeStatus {
  const amounts = { ...facts.machine.capacity, pods: String(facts.maxPods) }
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string): NodeCondition => {
    const old = before?.conditions?.find((other) => other.type === type)
    const now = formatTime(facts.now)
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : now,
    } as NodeCondition
  }
  return {
    addresses: [
      { type: 'InternalIP', address: facts.address },
      { type: 'Hostname', address: facts.name },
    ],
    capacity: amounts,
    allocatable: amounts,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      facts.runtimeProblem === undefined
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', facts.runtimeProblem),
    ],
    nodeInfo: {
      ...facts.machine.info,
      containerRuntimeVersion: `${facts.runtime.name}://${facts.runtime.version}`,
      kubeletVersion: facts.agentVersion,
      kubeProxyVersion: '',
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  }
}
