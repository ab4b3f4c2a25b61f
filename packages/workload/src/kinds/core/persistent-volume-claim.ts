import { type DeepReadonly, fieldError, jsonEqual } from '@continuo/core'
import type { PersistentVolumeClaim as PersistentVolumeClaimObject } from '../../generated/types/core-v1.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkAmounts, checkOneOf } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text, wide } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { accessModes, formatAccessModes } from './access-modes.ts'

export type PersistentVolumeClaim = PersistentVolumeClaimObject
/** Handle of persistentvolumeclaims in v1. */
export const PersistentVolumeClaim = kindOf<PersistentVolumeClaim>('v1', 'persistentvolumeclaims')

export const persistentVolumeClaimResource = workloadResource(PersistentVolumeClaim, {
  shortNames: ['pvc'],
  table: table<PersistentVolumeClaim>(
    nameColumn(),
    text('Status', ({ status, metadata }) => (metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating')),
    text('Volume', ({ spec }) => spec?.volumeName ?? ''),
    text('Capacity', ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.storage ?? '') : '')),
    text('Access Modes', ({ spec, status }) => (spec?.volumeName ? formatAccessModes(status?.accessModes) : '')),
    text('StorageClass', ({ spec }) => spec?.storageClassName ?? ''),
    text('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName || '<unset>'),
    ageColumn(),
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ),
  strategy: strategyOf<PersistentVolumeClaim>({
    default({ spec }) {
      if (spec !== undefined) spec.volumeMode ??= 'Filesystem'
    },
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' }
    },
    validate({ spec }, errors) {
      if ((spec?.accessModes?.length ?? 0) === 0) errors.push(fieldError.required('spec.accessModes', 'at least 1 access mode is required'))
      for (const mode of spec?.accessModes ?? []) checkOneOf(mode, accessModes, 'spec.accessModes', errors)
      if (spec?.resources?.requests?.storage === undefined) errors.push(fieldError.required('spec.resources[storage]'))
      checkAmounts(spec?.resources?.requests, 'spec.resources.requests', errors)
      checkLabelSelector(spec?.selector, 'spec.selector', errors)
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource !== 'status' && !jsonEqual(frozen(next, old), frozen(old, old)))
        errors.push(
          fieldError.forbidden(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        )
    },
  }),
})

/** The spec without what a binding or a resize changes. */
function frozen({ spec }: DeepReadonly<PersistentVolumeClaim>, old: DeepReadonly<PersistentVolumeClaim>): unknown {
  const { resources: _r, volumeAttributesClassName: _v, volumeName, ...rest } = spec ?? {}
  return { ...rest, volumeName: old.spec?.volumeName ? volumeName : undefined }
}
