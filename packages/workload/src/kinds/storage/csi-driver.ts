import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { CSIDriver as CSIDriverObject, TokenRequest } from '../../generated/types/storage-v1.ts'
import { checkImmutable, checkOneOf } from '../../rules/values.ts'
import { ageColumn, type ColumnOf, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'

export type CSIDriver = CSIDriverObject
/** Handle of csidrivers in storage.k8s.io/v1. */
export const CSIDriver = kindOf<CSIDriver>('storage.k8s.io/v1', 'csidrivers')

const boolean = (name: string, cell: ColumnOf<CSIDriver>['cell']): ColumnOf<CSIDriver> => ({ name, type: 'boolean', cell })
const shortestToken = 600
const longestToken = 2 ** 32
const shortestUpdatePeriod = 10

export const csiDriverResource = workloadResource(CSIDriver, {
  table: table<CSIDriver>(
    nameColumn(),
    boolean('AttachRequired', ({ spec }) => spec.attachRequired ?? true),
    boolean('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount ?? false),
    boolean('StorageCapacity', ({ spec }) => spec.storageCapacity ?? false),
    text('TokenRequests', ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') || '<unset>'),
    boolean('RequiresRepublish', ({ spec }) => spec.requiresRepublish ?? false),
    text('Modes', ({ spec }) => spec.volumeLifecycleModes?.join(',') || '<none>'),
    ageColumn(),
  ),
  strategy: strategyOf<CSIDriver>({
    default(driver) {
      driver.spec ??= {}
      const { spec } = driver
      spec.attachRequired ??= true
      spec.podInfoOnMount ??= false
      spec.storageCapacity ??= false
      spec.requiresRepublish ??= false
      spec.seLinuxMount ??= false
      spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
      if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent']
    },
    validate({ spec }, errors) {
      checkOneOf(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy', errors)
      for (const mode of spec.volumeLifecycleModes ?? []) checkOneOf(mode, ['Persistent', 'Ephemeral'], 'spec.volumeLifecycleModes', errors)
      checkTokens(spec.tokenRequests ?? [], errors)
      const period = spec.nodeAllocatableUpdatePeriodSeconds
      if (period !== undefined && period < shortestUpdatePeriod)
        errors.push(fieldError.invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'))
    },
    validateUpdate({ spec }, old, errors) {
      // Kubernetes, too, names the field in this way.
      checkImmutable(spec.attachRequired, old.spec.attachRequired, 'spec.attachedRequired', errors)
      checkImmutable(spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, 'spec.volumeLifecycleModes', errors)
    },
  }),
})

/** Tokens for an audience each. */
function checkTokens(requests: DeepReadonly<TokenRequest[]>, errors: FieldError[]): void {
  const audiences = new Set<string>()
  requests.forEach(({ audience, expirationSeconds: seconds }, index) => {
    const path = `spec.tokenRequests[${index}]`
    if (audiences.has(audience)) {
      errors.push(fieldError.duplicate(`${path}.audience`, audience))
      return
    }
    audiences.add(audience)
    if (seconds === undefined) return
    if (seconds < shortestToken)
      errors.push(fieldError.invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > longestToken)
      errors.push(fieldError.invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
  })
}
