import type { PriorityClass as PriorityClassObject } from '../../generated/types/scheduling-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type PriorityClass = PriorityClassObject
/** Handle of priorityclasses in scheduling.k8s.io/v1. */
export const PriorityClass = kindOf<PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses')

export const priorityClassResource = workloadResource(PriorityClass)
