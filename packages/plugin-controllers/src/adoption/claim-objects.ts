import { type DeepReadonly, hasReason, type Kind, type KubeObject, keyOf, type LabelPredicate, type ObjectClient } from '@continuo/core'
import { adoptionPatch, claims, releasePatch } from './claim.ts'

/**
 * Adopts and releases through the client and returns what the owner controls then. Before the first adoption the owner is read afresh:
 * one that is gone, was replaced, or is being deleted adopts nothing. Objects that vanish or change meanwhile are left for the next pass.
 */
export async function claimObjects<O extends KubeObject, T extends KubeObject>(
  client: ObjectClient,
  owner: { readonly kind: Kind<O>; readonly object: DeepReadonly<O> },
  dependents: { readonly kind: Kind<T>; readonly objects: readonly DeepReadonly<T>[] },
  selects: LabelPredicate,
): Promise<readonly DeepReadonly<T>[]> {
  const { owned, adopt, release } = claims(owner.object, dependents.objects, selects)
  const target = client.for(dependents.kind)
  for (const object of release) await patchIfThere(target, object, releasePatch(owner.object, object))
  if (adopt.length === 0 || !(await stillThere(client, owner.kind, owner.object))) return owned
  const adopted: DeepReadonly<T>[] = []
  for (const object of adopt) {
    const patched = await patchIfThere(target, object, adoptionPatch(owner.object, object))
    if (patched !== undefined) adopted.push(patched as DeepReadonly<T>)
  }
  return [...owned, ...adopted]
}

async function patchIfThere<T extends KubeObject>(
  target: ReturnType<ObjectClient['for']>,
  object: DeepReadonly<T>,
  body: object,
): Promise<KubeObject | undefined> {
  try {
    return await target.patch(keyOf(object), { type: 'merge', body })
  } catch (error) {
    if (hasReason(error, 'NotFound', 'Conflict', 'Invalid')) return undefined
    throw error
  }
}

async function stillThere<O extends KubeObject>(client: ObjectClient, kind: Kind<O>, owner: DeepReadonly<O>): Promise<boolean> {
  try {
    const fresh = await client.for(kind).get(keyOf(owner as DeepReadonly<KubeObject>))
    return fresh.metadata.uid === owner.metadata.uid && fresh.metadata.deletionTimestamp === undefined
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false
    throw error
  }
}
