import type { DeepReadonly } from '@continuo/core'
import type { PersistentVolume, Pod } from '@continuo/workload'

/** The claims that a pod uses: those that it names, and those of its ephemeral volumes. */
export const claimsOf = ({ metadata, spec }: DeepReadonly<Pod>): readonly string[] =>
  (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    persistentVolumeClaim !== undefined ? [persistentVolumeClaim.claimName] : ephemeral !== undefined ? [`${metadata.name}-${name}`] : [],
  )

/** A pod that has no node yet uses nothing: no agent starts one whose claim is being deleted. */
export const isClaimUsed = (claim: string, pods: readonly DeepReadonly<Pod>[]): boolean =>
  pods.some((pod) => Boolean(pod.spec?.nodeName) && claimsOf(pod).includes(claim))

export const isVolumeUsed = ({ status }: DeepReadonly<PersistentVolume>): boolean => status?.phase === 'Bound'
