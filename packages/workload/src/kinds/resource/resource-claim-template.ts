import { fieldError, labelKeyFaults, validateLabels } from '@continuo/core'
import type { ResourceClaimTemplate as ResourceClaimTemplateObject } from '../../generated/types/resource-v1.ts'
import { checkImmutable } from '../../rules/values.ts'
import { plainTable } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkClaim, defaultClaim } from './check-claim.ts'

export type ResourceClaimTemplate = ResourceClaimTemplateObject
/** Handle of resourceclaimtemplates in resource.k8s.io/v1. */
export const ResourceClaimTemplate = kindOf<ResourceClaimTemplate>('resource.k8s.io/v1', 'resourceclaimtemplates')

export const resourceClaimTemplateResource = workloadResource(ResourceClaimTemplate, {
  table: plainTable<ResourceClaimTemplate>(),
  strategy: strategyOf<ResourceClaimTemplate>({
    default: ({ spec }) => defaultClaim(spec?.spec),
    validate({ spec }, errors, old) {
      validateLabels(spec?.metadata?.labels, 'spec.metadata.labels', errors)
      for (const key of Object.keys(spec?.metadata?.annotations ?? {}))
        for (const fault of labelKeyFaults(key.toLowerCase())) errors.push(fieldError.invalid('spec.metadata.annotations', key, fault))
      checkClaim(spec?.spec, 'spec.spec', errors, old?.spec?.spec)
    },
    validateUpdate: (next, old, errors) => checkImmutable(next.spec, old.spec, 'spec', errors),
  }),
})
