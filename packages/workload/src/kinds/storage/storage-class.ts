import { fieldError } from '@continuo/core'
import type { StorageClass as StorageClassObject } from '../../generated/types/storage-v1.ts'
import { checkImmutable, checkOneOf } from '../../rules/values.ts'
import { ageColumn, type ColumnOf, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type StorageClass = StorageClassObject
/** Handle of storageclasses in storage.k8s.io/v1. */
export const StorageClass = kindOf<StorageClass>('storage.k8s.io/v1', 'storageclasses')

const defaultMark = 'storageclass.kubernetes.io/is-default-class'
const name: ColumnOf<StorageClass> = {
  ...nameColumn(),
  cell: ({ metadata }) => (metadata.annotations?.[defaultMark] === 'true' ? `${metadata.name} (default)` : metadata.name),
}

export const storageClassResource = workloadResource(StorageClass, {
  shortNames: ['sc'],
  table: table<StorageClass>(
    name,
    text('Provisioner', ({ provisioner }) => provisioner),
    text('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    text('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
    text('AllowVolumeExpansion', ({ allowVolumeExpansion }) => String(allowVolumeExpansion ?? false)),
    ageColumn(),
  ),
  strategy: strategyOf<StorageClass>({
    default(storageClass) {
      storageClass.reclaimPolicy ??= 'Delete'
      storageClass.volumeBindingMode ??= 'Immediate'
    },
    validate({ provisioner, reclaimPolicy, volumeBindingMode }, errors) {
      if (!provisioner) errors.push(fieldError.required('provisioner'))
      checkOneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy', errors)
      checkOneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode', errors)
    },
    validateUpdate(next, old, errors) {
      for (const field of ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const)
        checkImmutable(next[field], old[field], field, errors)
    },
  }),
})
