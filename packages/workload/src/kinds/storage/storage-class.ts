import type { StorageClass as StorageClassObject } from '../../generated/types/storage-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type StorageClass = StorageClassObject
/** Handle of storageclasses in storage.k8s.io/v1. */
export const StorageClass = kindOf<StorageClass>('storage.k8s.io/v1', 'storageclasses')

export const storageClassResource = workloadResource(StorageClass)
