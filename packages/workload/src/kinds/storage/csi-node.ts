import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { CSINodeDriver, CSINode as CSINodeObject } from '../../generated/types/storage-v1.ts'
import { each } from '../../rules/each.ts'
import { checkName, isQualifiedName } from '../../rules/names.ts'
import { checkImmutable, checkNotNegative } from '../../rules/values.ts'
import { ageColumn, integer, nameColumn, table } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkDriverName } from './csi-driver-name.ts'

export type CSINode = CSINodeObject
/** Handle of csinodes in storage.k8s.io/v1. */
export const CSINode = kindOf<CSINode>('storage.k8s.io/v1', 'csinodes')

const maxNodeId = 256

export const csiNodeResource = workloadResource(CSINode, {
  table: table<CSINode>(
    nameColumn(),
    integer('Drivers', ({ spec }) => (spec?.drivers ?? []).length),
    ageColumn(),
  ),
  strategy: strategyOf<CSINode>({
    validate({ spec }, errors) {
      const names = new Set<string>()
      each(spec?.drivers, 'spec.drivers', (driver, path) => {
        checkDriver(driver, path, errors)
        if (names.has(driver.name)) errors.push(fieldError.duplicate(`${path}.name`, driver.name))
        names.add(driver.name)
      })
    },
    validateUpdate({ spec }, old, errors) {
      for (const before of old.spec?.drivers ?? []) {
        const after = spec?.drivers?.find(({ name }) => name === before.name)
        if (after !== undefined) checkImmutable(identityOf(after), identityOf(before), 'spec.drivers', errors)
      }
    },
  }),
})

/** Of a driver that is there, the count of volumes alone may change. */
const identityOf = ({ allocatable: _, ...identity }: DeepReadonly<CSINodeDriver>): unknown => identity

function checkDriver({ name, nodeID, allocatable, topologyKeys }: DeepReadonly<CSINodeDriver>, path: string, errors: FieldError[]): void {
  checkDriverName(name, `${path}.name`, errors)
  if (!nodeID) errors.push(fieldError.required(`${path}.nodeID`))
  else if (nodeID.length > maxNodeId) errors.push(fieldError.invalid(`${path}.nodeID`, nodeID, `must be ${maxNodeId} characters or less`))
  checkNotNegative(allocatable?.count, `${path}.allocatable.count`, errors)
  const keys = new Set<string>()
  for (const key of topologyKeys ?? []) {
    if (key === '') errors.push(fieldError.required(path))
    if (keys.has(key)) errors.push(fieldError.duplicate(path, key))
    keys.add(key)
    checkName(isQualifiedName, key, path, errors)
  }
}
