import { fieldError } from '@continuo/core'
import type { PersistentVolume as PersistentVolumeObject } from '../../generated/types/core-v1.ts'
import { checkAmounts, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { accessModes, formatAccessModes } from './access-modes.ts'

export type PersistentVolume = PersistentVolumeObject
/** Handle of persistentvolumes in v1. */
export const PersistentVolume = kindOf<PersistentVolume>('v1', 'persistentvolumes')

export const persistentVolumeResource = workloadResource(PersistentVolume, {
  shortNames: ['pv'],
  table: table<PersistentVolume>(
    nameColumn(),
    text('Capacity', ({ spec }) => spec?.capacity?.storage ?? ''),
    text('Access Modes', ({ spec }) => formatAccessModes(spec?.accessModes)),
    text('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    text('Status', ({ status, metadata }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')),
    text('Claim', ({ spec }) => (spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace}/${spec.claimRef.name}`)),
    text('StorageClass', ({ spec }) => spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName || '<unset>'),
    text('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn(),
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ),
  strategy: strategyOf<PersistentVolume>({
    default({ spec }) {
      if (spec === undefined) return
      spec.persistentVolumeReclaimPolicy ??= 'Retain'
      spec.volumeMode ??= 'Filesystem'
      if (spec.hostPath !== undefined) spec.hostPath.type ??= ''
    },
    prepareForCreate(volume) {
      volume.status = { phase: 'Pending' }
    },
    validate({ spec }, errors) {
      if ((spec?.accessModes?.length ?? 0) === 0) errors.push(fieldError.required('spec.accessModes'))
      for (const mode of spec?.accessModes ?? []) checkOneOf(mode, accessModes, 'spec.accessModes', errors)
      if (spec?.capacity?.storage === undefined) errors.push(fieldError.required('spec.capacity'))
      checkAmounts(spec?.capacity, 'spec.capacity', errors)
      checkOneOf(spec?.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy', errors)
    },
  }),
})
