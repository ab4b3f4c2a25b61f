import type { EndpointSlice as EndpointSliceObject } from '../../generated/types/discovery-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type EndpointSlice = EndpointSliceObject
/** Handle of endpointslices in discovery.k8s.io/v1. */
export const EndpointSlice = kindOf<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices')

export const endpointSliceResource = workloadResource(EndpointSlice)
