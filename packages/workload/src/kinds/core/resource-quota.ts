import type { DeepReadonly } from '@continuo/core'
import type { ResourceQuota as ResourceQuotaObject } from '../../generated/types/core-v1.ts'
import { checkImmutable } from '../../rules/values.ts'
import { ageColumn, nameColumn, table, text } from '../../table/columns.ts'
import { kindOf } from '../kind-of.ts'
import { strategyOf } from '../typed-strategy.ts'
import { workloadResource } from '../workload-resource.ts'
import { checkResourceQuota } from './check-resource-quota.ts'

export type ResourceQuota = ResourceQuotaObject
/** Handle of resourcequotas in v1. */
export const ResourceQuota = kindOf<ResourceQuota>('v1', 'resourcequotas')

export const resourceQuotaResource = workloadResource(ResourceQuota, {
  shortNames: ['quota'],
  table: table<ResourceQuota>(
    nameColumn(),
    text('Request', (quota) => usage(quota, (resource) => !resource.startsWith('limits.'))),
    text('Limit', (quota) => usage(quota, (resource) => resource.startsWith('limits.'))),
    ageColumn(),
  ),
  strategy: strategyOf<ResourceQuota>({
    validate: ({ spec }, errors) => checkResourceQuota(spec ?? {}, errors),
    validateUpdate(next, old, errors) {
      const [scopes, before] = [next, old].map(({ spec }) => [...(spec?.scopes ?? [])].sort())
      checkImmutable(scopes, before, 'spec.scopes', errors)
      checkImmutable(next.spec?.scopeSelector, old.spec?.scopeSelector, 'spec.scopeSelector', errors)
    },
  }),
})

/** `cpu: 1/4, pods: 3/10`: what is used of what is allowed. */
const usage = ({ spec, status }: DeepReadonly<ResourceQuota>, wanted: (resource: string) => boolean): string =>
  Object.entries(status?.hard ?? spec?.hard ?? {})
    .filter(([resource]) => wanted(resource))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([resource, hard]) => `${resource}: ${status?.used?.[resource] ?? '0'}/${hard}`)
    .join(', ')
