import type { Endpoints as EndpointsObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Endpoints = EndpointsObject
/** Handle of endpoints in v1. */
export const Endpoints = kindOf<Endpoints>('v1', 'endpoints')

export const endpointsResource = workloadResource(Endpoints)
