import type { PersistentVolumeClaim as PersistentVolumeClaimObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type PersistentVolumeClaim = PersistentVolumeClaimObject
/** Handle of persistentvolumeclaims in v1. */
export const PersistentVolumeClaim = kindOf<PersistentVolumeClaim>('v1', 'persistentvolumeclaims')

export const persistentVolumeClaimResource = workloadResource(PersistentVolumeClaim)
