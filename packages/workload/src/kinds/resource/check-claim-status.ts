import { type DeepReadonly, type FieldError, fieldError } from '@continuo/core'
import type { AllocationResult, ResourceClaim } from '../../generated/types/resource-v1.ts'
import { checkNodeSelector } from '../../pod-spec/check-node-selector.ts'
import { checkRequiredName, isDnsLabel } from '../../rules/names.ts'
import { checkImmutable, checkOneOf } from '../../rules/values.ts'
import { checkDriverName } from '../storage/csi-driver-name.ts'
import { checkReference, checkReferences, requestNames } from './check-claim.ts'
import { checkOpaque, checkTolerations } from './check-configuration.ts'
import { limits } from './limits.ts'
import { checkItems, checkSet } from './lists.ts'
import { checkPoolName } from './names.ts'

/** What was allocated to a claim, and who uses it. An allocation may be given and taken, and never changed. */
export function checkClaimStatus(next: DeepReadonly<ResourceClaim>, old: DeepReadonly<ResourceClaim>, errors: FieldError[]): void {
  const { allocation, reservedFor = [], devices } = next.status ?? {}
  checkSet(
    reservedFor,
    limits.consumers,
    'status.reservedFor',
    errors,
    ({ uid }) => uid,
    ({ resource, name, uid }, path) => {
      for (const [field, value] of Object.entries({ resource, name, uid })) if (!value) errors.push(fieldError.required(`${path}.${field}`))
    },
  )
  if (reservedFor.length > 0) checkReservations(next, old, errors)
  const allocated = new Set(allocation?.devices?.results?.map(deviceKey))
  checkSet(devices, Number.POSITIVE_INFINITY, 'status.devices', errors, deviceKey, (device, path) => {
    checkDriverName(device.driver, `${path}.driver`, errors)
    checkPoolName(device.pool, `${path}.pool`, errors)
    checkRequiredName(isDnsLabel, device.device, `${path}.device`, errors)
    if (!allocated.has(deviceKey(device)))
      errors.push(fieldError.invalid(path, deviceKey(device), 'must be an allocated device in the claim'))
  })
  if (allocation === undefined) return
  if (old.status?.allocation !== undefined) checkImmutable(allocation, old.status.allocation, 'status.allocation', errors)
  else checkAllocation(allocation, requestNames(next.spec.devices), errors)
}

const deviceKey = ({ driver, pool, device, shareID }: { driver: string; pool: string; device: string; shareID?: string }): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join('/')

function checkReservations(next: DeepReadonly<ResourceClaim>, old: DeepReadonly<ResourceClaim>, errors: FieldError[]): void {
  const path = 'status.reservedFor'
  if (next.status?.allocation === undefined) errors.push(fieldError.forbidden(path, 'may not be specified when `allocated` is not set'))
  else if (next.metadata.deletionTimestamp !== undefined) {
    const before = new Set(old.status?.reservedFor?.map(({ uid }) => uid))
    if (next.status.reservedFor?.some(({ uid }) => !before.has(uid)))
      errors.push(fieldError.forbidden(path, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'))
  }
}

function checkAllocation(
  { devices, nodeSelector }: DeepReadonly<AllocationResult>,
  names: ReadonlySet<string>,
  errors: FieldError[],
): void {
  const path = 'status.allocation'
  checkItems(devices?.results, limits.results, `${path}.devices.results`, errors, (result, at) => {
    checkReference(result.request, names, `${at}.request`, errors)
    checkDriverName(result.driver, `${at}.driver`, errors)
    checkPoolName(result.pool, `${at}.pool`, errors)
    checkRequiredName(isDnsLabel, result.device, `${at}.device`, errors)
    checkTolerations(result.tolerations, `${at}.tolerations`, errors)
  })
  checkItems(devices?.config, 2 * limits.configurations, `${path}.devices.config`, errors, (config, at) => {
    checkOneOf(config.source, ['FromClaim', 'FromClass'], `${at}.source`, errors)
    checkReferences(config.requests, names, `${at}.requests`, errors)
    checkOpaque(config.opaque, `${at}.opaque`, errors)
  })
  if (nodeSelector !== undefined) checkNodeSelector(nodeSelector, `${path}.nodeSelector`, errors)
}
