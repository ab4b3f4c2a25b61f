import { type DeepReadonly, type FieldError, fieldError, jsonEqual } from '@continuo/core'
import type { TopologySelectorTerm } from '../../generated/types/core-v1.ts'
import type { StorageClass as StorageClassObject } from '../../generated/types/storage-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, checkRequiredName, isQualifiedName } from '../../rules/names.ts'
import { checkImmutable, checkOneOf } from '../../rules/values.ts'
import { ageColumn, type ColumnOf, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkParameters } from './parameters.ts'

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
    validate({ provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies }, errors) {
      checkRequiredName(isQualifiedName, provisioner?.toLowerCase(), 'provisioner', errors)
      checkParameters(parameters, true, errors)
      checkOneOf(reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy', errors)
      checkOneOf(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode', errors)
      checkTopologies(allowedTopologies ?? [], errors)
    },
    validateUpdate(next, old, errors) {
      for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const)
        if (!jsonEqual(next[field], old[field])) errors.push(fieldError.forbidden(field, `updates to ${field} are forbidden.`))
      checkImmutable(next.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode', errors)
    },
  }),
})

function checkTopologies(terms: DeepReadonly<TopologySelectorTerm[]>, errors: FieldError[]): void {
  each(terms, 'allowedTopologies', ({ matchLabelExpressions }, term) => {
    const keys = new Set<string>()
    each(matchLabelExpressions, `${term}.matchLabelExpressions`, ({ key, values }, path) => {
      if ((values ?? []).length === 0) errors.push(fieldError.required(`${path}.values`))
      const seen = new Set<string>()
      each(values, `${path}.values`, (value, at) => {
        if (seen.has(value)) errors.push(fieldError.duplicate(at, value))
        seen.add(value)
      })
      if (keys.has(key)) errors.push(fieldError.duplicate(`${path}.key`, key))
      keys.add(key)
      checkName(isQualifiedName, key, `${path}.key`, errors)
    })
  })
  terms.forEach((term, index) => {
    if (terms.slice(0, index).some((earlier) => jsonEqual(earlier, term)))
      errors.push(fieldError.duplicate(`allowedTopologies[${index}].matchLabelExpressions`, ''))
  })
}
