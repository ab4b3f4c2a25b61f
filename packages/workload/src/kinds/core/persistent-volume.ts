import { type DeepReadonly, fieldError, jsonEqual } from '@continuo/core'
import type { PersistentVolume as PersistentVolumeObject } from '../../generated/types/core-v1.ts'
import { checkAmounts, checkImmutable, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkVolumeModes, formatAccessModes } from './access-modes.ts'
import { checkVolumeSource, volumeSourceOf } from './volume-source.ts'

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
      checkVolumeModes(spec?.accessModes, 'spec.accessModes', errors)
      const amounts = Object.keys(spec?.capacity ?? {})
      if (amounts.length === 0) errors.push(fieldError.required('spec.capacity'))
      else if (amounts.length > 1 || amounts[0] !== 'storage')
        errors.push(fieldError.notSupported('spec.capacity', spec?.capacity, ['storage']))
      checkAmounts(spec?.capacity, 'spec.capacity', errors)
      if (spec !== undefined) checkVolumeSource(spec, 'spec', errors)
      checkOneOf(spec?.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode', errors)
      checkOneOf(spec?.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'], 'spec.persistentVolumeReclaimPolicy', errors)
    },
    validateUpdate(next, old, errors) {
      checkImmutable(next.spec?.volumeMode, old.spec?.volumeMode, 'spec.volumeMode', errors)
      // Who may be on the volume's nodes was decided with it; a source is where the bytes are.
      const { source, affinity } = placeOf(next)
      const before = placeOf(old)
      if (!jsonEqual(source, before.source))
        errors.push(fieldError.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'))
      if (before.affinity !== undefined) checkImmutable(affinity, before.affinity, 'spec.nodeAffinity', errors)
    },
  }),
})

const placeOf = ({ spec }: DeepReadonly<PersistentVolume>) => ({ source: volumeSourceOf(spec), affinity: spec?.nodeAffinity })
