import type { AdmissionRequest, DeepReadonly, ObjectMeta } from '@continuo/core'

interface Stored {
  readonly metadata: Pick<DeepReadonly<ObjectMeta>, 'deletionTimestamp' | 'finalizers'>
}

/** True when nothing will hold the object once this request is committed: what it has is released with it. */
export const goesNow = ({ metadata }: Stored, finalizersAfter: readonly string[] | undefined): boolean =>
  metadata.deletionTimestamp !== undefined && (finalizersAfter?.length ?? 0) === 0

/** True when a deletion removes the object at once: nothing holds it, and the client does not ask to wait for dependents. */
export function endsWith({ options }: Pick<AdmissionRequest, 'options'>, { metadata }: Stored): boolean {
  const policy = options.propagationPolicy
  const finalizers = (metadata.finalizers ?? []).filter(
    (finalizer) => policy === undefined || (finalizer !== 'orphan' && finalizer !== 'foregroundDeletion'),
  )
  return finalizers.length === 0 && policy !== 'Foreground' && policy !== 'Orphan'
}
