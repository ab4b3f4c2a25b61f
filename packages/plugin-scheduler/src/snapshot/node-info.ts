import type { DeepReadonly } from '@continuo/core'
import type { Amounts, Node, NodeSnapshot, Pod } from '@continuo/workload'
import { addAmounts, amountsOf, podRequests, scoringRequests } from './amounts.ts'

/** A pod on a node, with what was computed from it once. */
export interface PlacedPod {
  readonly pod: DeepReadonly<Pod>
  readonly requests: Amounts
  readonly scoring: { readonly cpu: number; readonly memory: number }
  readonly ports: readonly string[]
}

/** A node's snapshot with what the scheduler's own scorers need beside it. */
export interface NodeInfo extends NodeSnapshot {
  readonly placed: readonly PlacedPod[]
  /** CPU and memory of all pods, those without requests at an assumed size. */
  readonly scoring: { readonly cpu: number; readonly memory: number }
}

const noPorts: ReadonlySet<string> = new Set()

/** `protocol/ip/port` of each host port that the pod wants. */
export function hostPorts(pod: DeepReadonly<Pod>): readonly string[] {
  const ports: string[] = []
  for (const container of [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter((each) => each.restartPolicy === 'Always'),
  ]) {
    for (const port of container.ports ?? []) {
      if (port.hostPort !== undefined && port.hostPort > 0)
        ports.push(`${port.protocol ?? 'TCP'}/${port.hostIP || '0.0.0.0'}/${port.hostPort}`)
    }
  }
  return ports
}

export function placedPod(pod: DeepReadonly<Pod>): PlacedPod {
  const requests = podRequests(pod)
  return { pod, requests, scoring: scoringRequests(pod, requests), ports: hostPorts(pod) }
}

const emptyNode = (name: string): DeepReadonly<Node> => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })

/** A node with the pods that stand on it. Builds everything anew; {@link withPod} and {@link withoutPod} cost what changes. */
export function nodeInfo(name: string, node: DeepReadonly<Node> | undefined, placed: readonly PlacedPod[]): NodeInfo {
  const requested: Record<string, number> = {}
  let cpu = 0
  let memory = 0
  for (const each of placed) {
    addAmounts(requested, each.requests)
    cpu += each.scoring.cpu
    memory += each.scoring.memory
  }
  return {
    name,
    node: node ?? emptyNode(name),
    allocatable: amountsOf(node?.status?.allocatable ?? node?.status?.capacity),
    requested,
    placed,
    pods: placed.map((each) => each.pod),
    usedPorts: portsOf(placed),
    scoring: { cpu, memory },
  }
}

const portsOf = (placed: readonly PlacedPod[]): ReadonlySet<string> =>
  placed.some((each) => each.ports.length > 0) ? new Set(placed.flatMap((each) => each.ports)) : noPorts

export const withNode = (info: NodeInfo, node: DeepReadonly<Node>): NodeInfo => ({
  ...info,
  node,
  allocatable: amountsOf(node.status?.allocatable ?? node.status?.capacity),
})

export function withPod(info: NodeInfo, added: PlacedPod): NodeInfo {
  const requested = { ...info.requested }
  addAmounts(requested, added.requests)
  return {
    ...info,
    requested,
    placed: [...info.placed, added],
    pods: [...info.pods, added.pod],
    usedPorts: added.ports.length === 0 ? info.usedPorts : new Set([...info.usedPorts, ...added.ports]),
    scoring: { cpu: info.scoring.cpu + added.scoring.cpu, memory: info.scoring.memory + added.scoring.memory },
  }
}

export function withoutPod(info: NodeInfo, removed: PlacedPod): NodeInfo {
  const requested = { ...info.requested }
  addAmounts(requested, removed.requests, -1)
  const placed = info.placed.filter((each) => each !== removed)
  return {
    ...info,
    requested,
    placed,
    pods: placed.map((each) => each.pod),
    usedPorts: removed.ports.length === 0 ? info.usedPorts : portsOf(placed),
    scoring: { cpu: info.scoring.cpu - removed.scoring.cpu, memory: info.scoring.memory - removed.scoring.memory },
  }
}
