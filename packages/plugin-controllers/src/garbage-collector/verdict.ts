import type { DeepReadonly, DeletionPropagation, KubeObject, OwnerReference } from '@continuo/core'
import { foregroundFinalizer, orphanFinalizer } from './owner-graph.ts'

/** What was found out about one owner: there, gone (or another object of its name), or going and waiting for its dependents. */
export type OwnerState = 'solid' | 'absent' | 'waiting' | 'unresolvable'

/** What to do about an object that names owners. */
export type Verdict =
  | { readonly type: 'keep' }
  /** At least one owner is there: only the references to others are removed. */
  | { readonly type: 'trim'; readonly uids: ReadonlySet<string> }
  | { readonly type: 'delete'; readonly policy: DeletionPropagation; readonly unblock: boolean }

/**
 * Judges an object by its owners (as `attemptToDeleteItem` of Kubernetes does). An owner that cannot be resolved, because its kind is not
 * served or lives in namespaces while the object does not, keeps the object: nothing is deleted on a guess.
 */
export function judge(object: DeepReadonly<KubeObject>, owners: ReadonlyMap<string, OwnerState>, hasDependents: boolean): Verdict {
  const references = object.metadata.ownerReferences ?? []
  const states = references.map(({ uid }) => owners.get(uid) ?? 'unresolvable')
  if (references.length === 0 || states.includes('unresolvable')) return { type: 'keep' }
  const dispensable = references.filter((_, index) => states[index] !== 'solid')
  if (dispensable.length < references.length)
    return dispensable.length === 0 ? { type: 'keep' } : { type: 'trim', uids: new Set(dispensable.map(({ uid }) => uid)) }
  // An owner waits for this object, which has dependents itself: they go first, and may not hold it back in a circle.
  if (states.includes('waiting') && hasDependents) return { type: 'delete', policy: 'Foreground', unblock: true }
  const finalizers = object.metadata.finalizers ?? []
  const policy = finalizers.includes(orphanFinalizer) ? 'Orphan' : finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
  return { type: 'delete', policy, unblock: false }
}

/** Merge patch that leaves an object only these references, if it is still as it was read. */
export const referencesPatch = (object: DeepReadonly<KubeObject>, keep: readonly DeepReadonly<OwnerReference>[]): object => ({
  metadata: {
    uid: object.metadata.uid,
    resourceVersion: object.metadata.resourceVersion,
    ownerReferences: keep.length === 0 ? null : keep,
  },
})

/** Merge patch that takes a finalizer away. */
export const finalizerPatch = (object: DeepReadonly<KubeObject>, finalizer: string): object => {
  const keep = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer)
  return {
    metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, finalizers: keep.length === 0 ? null : keep },
  }
}
