import { type DeepReadonly, formatTime } from '@continuo/core'
import type { Node, NodeCondition, Taint } from '@continuo/workload'

export type NodeView = DeepReadonly<Node>

/** When this process last saw a sign of life, on its own monotonic clock: clocks of nodes are not trusted. */
export interface Heartbeat {
  /** Renewal time of the lease and heartbeat of the status, as they were last: a change is a sign of life. */
  readonly seen: string
  readonly at: number
}

/** The heartbeat after a look: refreshed when what the node says differs from what it said. */
export const refreshed = (known: Heartbeat | undefined, seen: string, now: number): Heartbeat =>
  known !== undefined && known.seen === seen ? known : { seen, at: now }

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/**
 * The node's conditions when nothing was heard of it for too long: what is not Unknown yet becomes so.
 * Undefined when there is nothing to change.
 */
export function silentConditions(node: NodeView, now: number): NodeCondition[] | undefined {
  const conditions = (node.status?.conditions ?? []) as readonly NodeCondition[]
  const at = formatTime(now)
  let changed = false
  const next: NodeCondition[] = conditions.map((condition) => {
    if (!watched.some((type) => type === condition.type) || condition.status === 'Unknown') return condition
    changed = true
    return {
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: at,
    }
  })
  for (const type of watched) {
    if (conditions.some((condition) => condition.type === type)) continue
    changed = true
    next.push({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp ?? at,
      lastTransitionTime: at,
    })
  }
  return changed ? next : undefined
}

const statusOf = (node: NodeView, type: string): string | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type)?.status

const prefix = 'node.kubernetes.io/'
export const notReadyTaint = `${prefix}not-ready`
export const unreachableTaint = `${prefix}unreachable`

/** Taints that the lifecycle controller owns: it adds them and removes them. */
const owned = new Set(
  ['not-ready', 'unreachable', 'memory-pressure', 'disk-pressure', 'pid-pressure', 'network-unavailable', 'unschedulable'].map(
    (name) => prefix + name,
  ),
)

/** Taints that follow from the node's conditions and from being cordoned. */
export function wantedTaints(node: NodeView): readonly Pick<Taint, 'key' | 'effect'>[] {
  const ready = statusOf(node, 'Ready')
  const repel = (name: string): Pick<Taint, 'key' | 'effect'> => ({ key: prefix + name, effect: 'NoSchedule' })
  const health = ready === 'True' ? [] : ready === 'False' ? [notReadyTaint] : [unreachableTaint]
  return [
    ...health.flatMap((key) => [
      { key, effect: 'NoSchedule' as const },
      { key, effect: 'NoExecute' as const },
    ]),
    ...(statusOf(node, 'MemoryPressure') === 'True' ? [repel('memory-pressure')] : []),
    ...(statusOf(node, 'DiskPressure') === 'True' ? [repel('disk-pressure')] : []),
    ...(statusOf(node, 'PIDPressure') === 'True' ? [repel('pid-pressure')] : []),
    ...(statusOf(node, 'NetworkUnavailable') === 'True' ? [repel('network-unavailable')] : []),
    ...(node.spec?.unschedulable === true ? [repel('unschedulable')] : []),
  ]
}

/** All taints of the node as they should be, or undefined when they are. A node that has never reported is not judged. */
export function nextTaints(node: NodeView, now: number): Taint[] | undefined {
  const current = (node.spec?.taints ?? []) as readonly Taint[]
  const wanted =
    statusOf(node, 'Ready') === undefined ? wantedTaints(node).filter(({ key }) => key !== unreachableTaint) : wantedTaints(node)
  const has = (taints: readonly Pick<Taint, 'key' | 'effect'>[], { key, effect }: Pick<Taint, 'key' | 'effect'>): boolean =>
    taints.some((each) => each.key === key && each.effect === effect)
  const kept = current.filter((taint) => !owned.has(taint.key) || has(wanted, taint))
  const added = wanted.filter((taint) => !has(current, taint)).map((taint) => ({ ...taint, timeAdded: formatTime(now) }))
  return kept.length === current.length && added.length === 0 ? undefined : [...kept, ...added]
}

export const isNodeReady = (node: NodeView): boolean => statusOf(node, 'Ready') === 'True'
