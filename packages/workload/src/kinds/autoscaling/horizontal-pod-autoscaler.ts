import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerObject } from '../../generated/types/autoscaling-v2.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type HorizontalPodAutoscaler = HorizontalPodAutoscalerObject
/** Handle of horizontalpodautoscalers in autoscaling/v2. */
export const HorizontalPodAutoscaler = kindOf<HorizontalPodAutoscaler>('autoscaling/v2', 'horizontalpodautoscalers')

export const horizontalPodAutoscalerResource = workloadResource(HorizontalPodAutoscaler)
