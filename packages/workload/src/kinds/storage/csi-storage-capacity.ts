import { fieldError } from '@continuo/core'
import { parseQuantity } from '@continuo/lib-quantity'
import type { CSIStorageCapacity as CSIStorageCapacityObject } from '../../generated/types/storage-v1.ts'
import { checkName, isDnsSubdomain } from '../../rules/names.ts'
import { checkLabelSelector } from '../../rules/selectors.ts'
import { checkImmutable } from '../../rules/values.ts'
import { nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type CSIStorageCapacity = CSIStorageCapacityObject
/** Handle of csistoragecapacities in storage.k8s.io/v1. */
export const CSIStorageCapacity = kindOf<CSIStorageCapacity>('storage.k8s.io/v1', 'csistoragecapacities')

export const csiStorageCapacityResource = workloadResource(CSIStorageCapacity, {
  table: table<CSIStorageCapacity>(
    nameColumn(),
    text('StorageClassName', ({ storageClassName }) => storageClassName),
    text('Capacity', ({ capacity }) => capacity ?? ''),
  ),
  strategy: strategyOf<CSIStorageCapacity>({
    validate({ nodeTopology, storageClassName, capacity, maximumVolumeSize }, errors) {
      checkLabelSelector(nodeTopology, 'nodeTopology', errors)
      checkName(isDnsSubdomain, storageClassName ?? '', 'storageClassName', errors)
      for (const [field, amount] of Object.entries({ capacity, maximumVolumeSize }))
        if (amount !== undefined && parseQuantity(amount).nano < 0n)
          errors.push(fieldError.invalid(field, amount, 'must be greater than or equal to 0'))
    },
    validateUpdate(next, old, errors) {
      checkImmutable(next.nodeTopology, old.nodeTopology, 'nodeTopology', errors)
      checkImmutable(next.storageClassName, old.storageClassName, 'storageClassName', errors)
    },
  }),
})
