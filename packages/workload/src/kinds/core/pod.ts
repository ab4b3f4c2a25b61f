import type { Pod as PodObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Pod = PodObject
/** Handle of pods in v1. */
export const Pod = kindOf<Pod>('v1', 'pods')

export const podResource = workloadResource(Pod)
