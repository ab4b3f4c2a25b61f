import { formatTime, parseTime } from '../clock/clock.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import type { ResourceStrategy } from '../resources/resource.ts'
import type { DeleteOptions } from './options.ts'

/** Finalizers by which the garbage collector is asked to deal with dependents first. */
export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

export type DeletionVerdict =
  | { readonly type: 'delete' }
  /** Store this instead: something holds the object, or it ends gracefully. */
  | { readonly type: 'mark'; readonly next: UnstructuredObject }
  /** It is being deleted already and this request changes nothing. */
  | { readonly type: 'pending' }

/** What a request to delete means for an object as it is. Pure; `now` is wall time in milliseconds. */
export function decideDeletion(
  object: DeepReadonly<UnstructuredObject>,
  strategy: ResourceStrategy | undefined,
  options: DeleteOptions,
  now: number,
): DeletionVerdict {
  const { metadata } = object
  const finalizers = propagationFinalizers(metadata.finalizers ?? [], options, strategy)
  const held = finalizers.length > 0 || strategy?.holdsDeletion?.(object) === true
  const grace = graceOf(object, strategy, options)
  if (grace === 'pending' && sameList(finalizers, metadata.finalizers ?? [])) return { type: 'pending' }
  if (grace === 0 && !held) return { type: 'delete' }
  const next = mutableCopy<UnstructuredObject>(object)
  if (finalizers.length > 0) next.metadata.finalizers = [...finalizers]
  else delete next.metadata.finalizers
  if (grace !== 'pending') mark(next, grace, now)
  const settled =
    metadata.deletionTimestamp !== undefined && next.metadata.deletionGracePeriodSeconds === (metadata.deletionGracePeriodSeconds ?? 0)
  if (settled && sameList(finalizers, metadata.finalizers ?? [])) return { type: 'pending' }
  if (metadata.deletionTimestamp === undefined) {
    if (next.metadata.generation !== undefined) next.metadata.generation++
    strategy?.prepareForDelete?.(next)
  }
  return { type: 'mark', next }
}

/** Seconds until the object may go; `pending` when an earlier request gave it less time or as much. A grace period only ever shrinks. */
function graceOf(
  object: DeepReadonly<UnstructuredObject>,
  strategy: ResourceStrategy | undefined,
  options: DeleteOptions,
): number | 'pending' {
  const { deletionTimestamp, deletionGracePeriodSeconds: current = 0 } = object.metadata
  if (deletionTimestamp !== undefined) {
    if (current === 0) return 0
    const wanted = options.gracePeriodSeconds
    return wanted === undefined || wanted >= current ? 'pending' : Math.max(0, wanted)
  }
  const request = options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }
  return Math.max(0, strategy?.gracePeriodSeconds?.(object, request) ?? 0)
}

function mark(next: UnstructuredObject, grace: number, now: number): void {
  const { metadata } = next
  if (metadata.deletionTimestamp === undefined) metadata.deletionTimestamp = formatTime(now + grace * 1000)
  else {
    const began = parseTime(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
    metadata.deletionTimestamp = formatTime(began + grace * 1000)
  }
  metadata.deletionGracePeriodSeconds = grace
}

/** The object's finalizers with those that the propagation policy adds or takes away. */
function propagationFinalizers(
  finalizers: readonly string[],
  options: DeleteOptions,
  strategy: ResourceStrategy | undefined,
): readonly string[] {
  const { propagationPolicy: policy } = options
  const others = finalizers.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer)
  const orphans =
    policy === undefined
      ? finalizers.includes(orphanFinalizer) || (strategy?.defaultPropagation === 'Orphan' && !finalizers.includes(foregroundFinalizer))
      : policy === 'Orphan'
  const waits = policy === undefined ? finalizers.includes(foregroundFinalizer) : policy === 'Foreground'
  const wanted = orphans ? [...others, orphanFinalizer] : waits ? [...others, foregroundFinalizer] : others
  return sameSet(wanted, finalizers) ? finalizers : wanted
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one) => b.includes(one))
const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one, index) => one === b[index])
