import { type FieldError, fieldError } from '@continuo/core'
import type { ConfigMap as ConfigMapObject } from '../../generated/types/core-v1.ts'
import { checkName, isConfigKey } from '../../rules/names.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type ConfigMap = ConfigMapObject
/** Handle of configmaps in v1. */
export const ConfigMap = kindOf<ConfigMap>('v1', 'configmaps')

/** Bytes that a config map or secret may hold. */
export const maxDataBytes = 1024 * 1024

const count = (data: object | undefined): number => Object.keys(data ?? {}).length

export const configMapResource = workloadResource(ConfigMap, {
  shortNames: ['cm'],
  table: table<ConfigMap>(
    nameColumn(),
    integer('Data', ({ data, binaryData }) => count(data) + count(binaryData)),
    ageColumn(),
  ),
  strategy: strategyOf<ConfigMap>({
    validate({ data = {}, binaryData = {} }, errors) {
      let bytes = 0
      for (const [key, value] of Object.entries(data)) {
        checkName(isConfigKey, key, `data[${key}]`, errors)
        if (Object.hasOwn(binaryData, key)) errors.push(fieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
        bytes += Buffer.byteLength(value)
      }
      for (const [key, value] of Object.entries(binaryData)) {
        checkName(isConfigKey, key, `binaryData[${key}]`, errors)
        bytes += Buffer.byteLength(value, 'base64')
      }
      if (bytes > maxDataBytes) errors.push(fieldError.tooLong('[]', maxDataBytes))
    },
    validateUpdate(next, old, errors) {
      checkFrozen(next, old, ['data', 'binaryData'], errors)
    },
  }),
})

/** What an object with `immutable: true` keeps for good, the mark itself included. */
export function checkFrozen<T extends { readonly immutable?: boolean }>(
  next: T,
  old: T,
  fields: readonly (keyof T & string)[],
  errors: FieldError[],
): void {
  if (old.immutable !== true) return
  if (next.immutable !== true) errors.push(fieldError.forbidden('immutable', 'field is immutable when `immutable` is set'))
  for (const field of fields) {
    const faults: FieldError[] = []
    checkImmutable(next[field], old[field], field, faults)
    if (faults.length > 0) errors.push(fieldError.forbidden(field, 'field is immutable when `immutable` is set'))
  }
}
