import { type DeepReadonly, hook } from '@continuo/core'
import type { Node, Pod } from '../generated/types/core-v1.ts'

/** Resources in whole units: CPU in millicores, memory and storage in bytes, others counted. */
export type Amounts = Readonly<Record<string, number>>

/** One node with what stands on it; never changes: a new snapshot holds new ones. */
export interface NodeSnapshot {
  readonly name: string
  readonly node: DeepReadonly<Node>
  readonly allocatable: Amounts
  readonly requested: Amounts
  readonly pods: readonly DeepReadonly<Pod>[]
  /** `protocol/ip/port` of host ports in use. */
  readonly usedPorts: ReadonlySet<string>
}

/** The cluster as one scheduling attempt sees it, with pods that were decided and not yet confirmed. */
export interface ClusterSnapshot {
  readonly nodes: readonly NodeSnapshot[]
  node(name: string): NodeSnapshot | undefined
  /** Rises with each change. */
  readonly generation: number
}

/** Why a node does not fit. `retriable` false: no eviction of other pods could help. */
export interface Rejection {
  /** As in events: `Insufficient cpu`, `node(s) had untolerated taint {a: b}`. */
  readonly reason: string
  /** Further reasons of the same node: each is counted in the explanation. */
  readonly also?: readonly string[]
  readonly retriable?: boolean
}

/** Synchronous, called for many nodes: undefined when the pod fits. */
export type FilterPredicate = (node: NodeSnapshot) => Rejection | undefined

/** Synchronous; 0 to 100, more is better. */
export type Scorer = (node: NodeSnapshot) => number

/** One attempt to place one pod. A tap is called once for each attempt and adds functions; no promise per node. */
export interface SchedulingAttempt {
  readonly pod: DeepReadonly<Pod>
  readonly snapshot: ClusterSnapshot
  readonly requests: Amounts
}

/** Taps add predicates. A tap may also refuse the pod as a whole by `reject`. */
export interface FilterAttempt extends SchedulingAttempt {
  filter(plugin: string, predicate: FilterPredicate): void
  reject(plugin: string, reason: string): void
}

/** Taps add scorers; `weight` is multiplied with the configured one. Scores are normalised when `normalize` is set. */
export interface ScoreAttempt extends SchedulingAttempt {
  score(plugin: string, scorer: Scorer, options?: { readonly weight?: number; readonly normalize?: 'max' | 'reverse' }): void
}

/** A node was chosen. Taps reserve what the pod needs outside the API; `release` undoes it if a later step fails. */
export interface ReserveAttempt extends SchedulingAttempt {
  readonly nodeName: string
  release(undo: () => void | Promise<void>): void
}

/** Taps may hold the pod back: the longest wait counts. Throwing refuses the node. */
export interface PermitAttempt extends SchedulingAttempt {
  readonly nodeName: string
  wait(until: Promise<void>): void
}

/** Binds the pod. Setting `bound` says that a tap did it; otherwise the binding subresource is used. */
export interface BindAttempt extends SchedulingAttempt {
  readonly nodeName: string
  bound: boolean
}

/** Nothing fits. Taps may nominate a node after making room (preemption). */
export interface UnschedulableAttempt extends SchedulingAttempt {
  readonly rejections: ReadonlyMap<string, Rejection>
  nominatedNodeName?: string
}

export const SchedulerFilter = hook<FilterAttempt>('scheduler/filter')
export const SchedulerScore = hook<ScoreAttempt>('scheduler/score')
export const SchedulerReserve = hook<ReserveAttempt>('scheduler/reserve')
export const SchedulerPermit = hook<PermitAttempt>('scheduler/permit')
export const SchedulerBind = hook<BindAttempt>('scheduler/bind')
export const SchedulerUnschedulable = hook<UnschedulableAttempt>('scheduler/unschedulable')
