import { controllerOf, type DeepReadonly, type KubeObject, type LabelPredicate, type OwnerReference } from '@continuo/core'

/** Which objects a controller has, should take, and should let go. */
export interface Claims<T> {
  readonly owned: readonly T[]
  /** Match the selector and have no controller. */
  readonly adopt: readonly T[]
  /** Name this controller and match no longer. */
  readonly release: readonly T[]
}

/**
 * Sorts objects of the owner's namespace into those that it controls, orphans that it should adopt, and those that it should release.
 * Nothing is adopted or released by an owner that is being deleted, nor anything that is being deleted itself.
 */
export function claims<T extends DeepReadonly<KubeObject>>(
  owner: DeepReadonly<KubeObject>,
  objects: readonly T[],
  selects: LabelPredicate,
): Claims<T> {
  const owned: T[] = []
  const adopt: T[] = []
  const release: T[] = []
  const ownerGoes = owner.metadata.deletionTimestamp !== undefined
  for (const object of objects) {
    const controller = controllerOf(object)
    const matches = selects(object.metadata.labels)
    const goes = object.metadata.deletionTimestamp !== undefined
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue
      if (matches) owned.push(object)
      else if (!ownerGoes && !goes) release.push(object)
    } else if (matches && !ownerGoes && !goes) adopt.push(object)
  }
  return { owned, adopt, release }
}

/** The reference by which a controller owns what it makes. */
export const controllerReference = (owner: DeepReadonly<KubeObject>): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** Merge patch that adds the owner's reference, and fails when the object is another or was changed meanwhile. */
export const adoptionPatch = (owner: DeepReadonly<KubeObject>, object: DeepReadonly<KubeObject>): object => ({
  metadata: { ...identity(object), ownerReferences: [...(object.metadata.ownerReferences ?? []), controllerReference(owner)] },
})

/** Merge patch that removes it. */
export const releasePatch = (owner: DeepReadonly<KubeObject>, object: DeepReadonly<KubeObject>): object => ({
  metadata: {
    ...identity(object),
    ownerReferences: (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid),
  },
})

const identity = ({ metadata: { uid, resourceVersion } }: DeepReadonly<KubeObject>) => ({
  ...(uid && { uid }),
  ...(resourceVersion && { resourceVersion }),
})
