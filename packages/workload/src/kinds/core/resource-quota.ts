import type { ResourceQuota as ResourceQuotaObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ResourceQuota = ResourceQuotaObject
/** Handle of resourcequotas in v1. */
export const ResourceQuota = kindOf<ResourceQuota>('v1', 'resourcequotas')

export const resourceQuotaResource = workloadResource(ResourceQuota)
