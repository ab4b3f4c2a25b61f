import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import { compareQuantities } from '@continuo/lib-quantity'
import type { PersistentVolumeClaim as PersistentVolumeClaimObject } from '../../generated/types/core-v1.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
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
      checkOneOf(spec?.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode', errors)
      if (spec?.accessModes?.includes('ReadWriteOncePod') && spec.accessModes.length > 1)
        errors.push(fieldError.forbidden('spec.accessModes', 'may not use ReadWriteOncePod with other access modes'))
      if (spec?.storageClassName) checkName(isDnsSubdomain, spec.storageClassName, 'spec.storageClassName', errors)
      for (const field of ['dataSource', 'dataSourceRef'] as const) checkDataSource(spec?.[field], `spec.${field}`, errors)
    },
    validateUpdate(next, old, errors, subresource) {
      if (subresource !== 'status' && !jsonEqual(frozen(next, old), frozen(old, old)))
        errors.push(
          fieldError.forbidden(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        )
      if (subresource !== 'status') checkSize(next, old, errors)
    },
  }),
})

/** The spec without what a binding or a resize changes. */
function frozen({ spec }: DeepReadonly<PersistentVolumeClaim>, old: DeepReadonly<PersistentVolumeClaim>): unknown {
  const { resources: _r, volumeAttributesClassName: _v, volumeName, ...rest } = spec ?? {}
  return { ...rest, volumeName: old.spec?.volumeName ? volumeName : undefined }
}

/** What a volume begins with: a snapshot, another claim. */
function checkDataSource(
  source: DeepReadonly<{ apiGroup?: string; kind?: string; name?: string }> | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (source === undefined) return
  if (!source.name) errors.push(fieldError.required(`${path}.name`))
  if (!source.kind) errors.push(fieldError.required(`${path}.kind`))
  if (!source.apiGroup && source.kind && source.kind !== 'PersistentVolumeClaim')
    errors.push(fieldError.invalid(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
}

/** A claim grows; it shrinks no further than what it has. */
function checkSize(next: DeepReadonly<PersistentVolumeClaim>, old: DeepReadonly<PersistentVolumeClaim>, errors: FieldError[]): void {
  const [size, before] = [next.spec?.resources?.requests?.storage, old.spec?.resources?.requests?.storage]
  if (size === undefined || before === undefined || compareQuantities(size, before) >= 0) return
  const has = old.status?.capacity?.storage
  if (has === undefined || compareQuantities(size, has) <= 0)
    errors.push(fieldError.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
}
