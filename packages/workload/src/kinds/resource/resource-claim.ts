import type { DeepReadonly } from '@continuo/core'
import type { ResourceClaim as ResourceClaimObject } from '../../generated/types/resource-v1.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkClaim, defaultClaim } from './check-claim.ts'
import { checkClaimStatus } from './check-claim-status.ts'

export type ResourceClaim = ResourceClaimObject
/** Handle of resourceclaims in resource.k8s.io/v1. */
export const ResourceClaim = kindOf<ResourceClaim>('resource.k8s.io/v1', 'resourceclaims')

export const resourceClaimResource = workloadResource(ResourceClaim, {
  table: table<ResourceClaim>(
    nameColumn(),
    text('State', (claim) => formatState(claim)),
    ageColumn(),
  ),
  strategy: strategyOf<ResourceClaim>({
    default: ({ spec }) => defaultClaim(spec),
    validate: ({ spec }, errors, old) => checkClaim(spec, 'spec', errors, old?.spec),
    validateUpdate(next, old, errors) {
      checkImmutable(next.spec, old.spec, 'spec', errors)
      checkClaimStatus(next, old, errors)
    },
  }),
})

function formatState({ metadata, status }: DeepReadonly<ResourceClaim>): string {
  const words = [
    ...(metadata.deletionTimestamp === undefined ? [] : ['deleted']),
    ...(status?.allocation === undefined ? ['pending'] : ['allocated']),
    ...((status?.reservedFor?.length ?? 0) === 0 ? [] : ['reserved']),
  ]
  return words.join(',')
}
