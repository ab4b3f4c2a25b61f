import { fieldError, jsonEqual } from '@continuo/core'
import type { VolumeAttributesClass as VolumeAttributesClassObject } from '../../generated/types/storage-v1.ts'
import { checkRequiredName, isQualifiedName } from '../../rules/names.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkParameters } from './parameters.ts'

export type VolumeAttributesClass = VolumeAttributesClassObject
/** Handle of volumeattributesclasses in storage.k8s.io/v1. */
export const VolumeAttributesClass = kindOf<VolumeAttributesClass>('storage.k8s.io/v1', 'volumeattributesclasses')

export const volumeAttributesClassResource = workloadResource(VolumeAttributesClass, {
  shortNames: ['vac'],
  table: table<VolumeAttributesClass>(
    nameColumn(),
    text('DriverName', ({ driverName }) => driverName),
    ageColumn(),
  ),
  strategy: strategyOf<VolumeAttributesClass>({
    validate({ driverName, parameters }, errors) {
      checkRequiredName(isQualifiedName, driverName?.toLowerCase(), 'driverName', errors)
      checkParameters(parameters, false, errors)
    },
    validateUpdate(next, old, errors) {
      for (const field of ['driverName', 'parameters'] as const)
        if (!jsonEqual(next[field], old[field])) errors.push(fieldError.forbidden(field, `updates to ${field} are forbidden.`))
    },
  }),
})
