import type { ObjectClient } from '../client/object-client.ts'
import type { Decide } from '../decision/decision.ts'
import type { Log } from '../log/log.ts'
import type { DeepReadonly, KubeObject, ObjectKey } from '../objects/object.ts'
import type { Kind } from '../resources/resource.ts'

/** What a reconcile may ask for. Nothing: done until something changes. */
export interface ReconcileResult {
  /** Look at the key again after this many milliseconds, even if nothing changes. */
  readonly requeueAfterMs?: number
}

export interface ReconcileContext {
  /** Fenced: every commit fails once this process no longer leads. */
  readonly client: ObjectClient
  readonly log: Log
  readonly decide: Decide
  /** Aborts when the controller stops or loses leadership. */
  readonly signal: AbortSignal
  /** Consecutive failures of this key so far. */
  readonly attempt: number
}

/** Another kind whose changes concern keys of the controller. */
export interface ControllerWatch<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>
  /** Keys that a change of this object concerns. Called with the new and, for updates, the old object. */
  map(object: DeepReadonly<T>): readonly ObjectKey[]
}

/** Keeps the type of a watch's objects while watches of several kinds stand in one array. */
export const watches = <T extends KubeObject>(kind: Kind<T>, map: (object: DeepReadonly<T>) => readonly ObjectKey[]): ControllerWatch => ({
  kind,
  map: map as ControllerWatch['map'],
})

/**
 * A reconciler: objects of `for`, owners of objects of `owns`, and what `watches` map to become keys in a de-duplicating,
 * rate-limited queue; `reconcile` gets a key and nothing else. It is level triggered and must be idempotent.
 * One key is never reconciled twice at the same time.
 */
export interface ControllerSpec<T extends KubeObject = KubeObject> {
  readonly name: string
  readonly for: Kind<T>
  /** Kinds whose objects name an object of `for` as their controller. */
  readonly owns?: readonly Kind[]
  readonly watches?: readonly ControllerWatch[]
  /** Keys reconciled at the same time. Default 5. */
  readonly concurrency?: number
  /** Runs only on the leader. Default true. */
  readonly leader?: boolean
  /**
   * Brings the world nearer to the wish. Throwing retries with back-off (5 ms doubling to 1,000 s);
   * a {@link TerminalError} is reported and not retried until the object changes.
   */
  reconcile(key: ObjectKey, ctx: ReconcileContext): Promise<ReconcileResult | void>
}

export { isTerminalError, TerminalError } from './terminal-error.ts'
