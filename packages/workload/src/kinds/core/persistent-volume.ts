import type { PersistentVolume as PersistentVolumeObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type PersistentVolume = PersistentVolumeObject
/** Handle of persistentvolumes in v1. */
export const PersistentVolume = kindOf<PersistentVolume>('v1', 'persistentvolumes')

export const persistentVolumeResource = workloadResource(PersistentVolume)
