import type { ServiceAccount as ServiceAccountObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ServiceAccount = ServiceAccountObject
/** Handle of serviceaccounts in v1. */
export const ServiceAccount = kindOf<ServiceAccount>('v1', 'serviceaccounts')

export const serviceAccountResource = workloadResource(ServiceAccount)
