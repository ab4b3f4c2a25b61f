import { capability } from '../capability/capability.ts'
import type { ObjectKey } from '../objects/object.ts'

/** The object that a decision is about. */
export interface DecisionSubject extends ObjectKey {
  readonly kind: string
  readonly uid?: string
}

/** Why something was done or not done: the answer to "why is this pending?" without reading logs. */
export interface Decision {
  readonly id: string
  /** The plugin's slot. */
  readonly actor: string
  readonly object: DecisionSubject
  /** resourceVersion of the object on which it was based. */
  readonly revision?: string
  /** Id of the decision that led to this one. */
  readonly cause?: string
  /** A stable word in CamelCase, such as `FailedScheduling`. */
  readonly code: string
  /** One sentence. */
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  /** Wall time in milliseconds. */
  readonly time: number
}

/** Records a decision and returns its id, to be passed on as a cause. */
export type Decide = (decision: Omit<Decision, 'id' | 'actor' | 'time'>) => string

/** A bounded ring of the latest decisions of this process (default 10,000). */
export interface DecisionLog {
  record(decision: Omit<Decision, 'id' | 'time'>): string
  /** Newest last. */
  about(object: { readonly kind: string; readonly namespace: string; readonly name: string }): readonly Decision[]
  byId(id: string): Decision | undefined
  all(): readonly Decision[]
}

export const DecisionLogCap = capability<DecisionLog>('decision-log/v1')
