import type { Service as ServiceObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Service = ServiceObject
/** Handle of services in v1. */
export const Service = kindOf<Service>('v1', 'services')

export const serviceResource = workloadResource(Service)
