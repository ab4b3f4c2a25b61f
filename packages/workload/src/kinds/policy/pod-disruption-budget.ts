import type { PodDisruptionBudget as PodDisruptionBudgetObject } from '../../generated/types/policy-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type PodDisruptionBudget = PodDisruptionBudgetObject
/** Handle of poddisruptionbudgets in policy/v1. */
export const PodDisruptionBudget = kindOf<PodDisruptionBudget>('policy/v1', 'poddisruptionbudgets')

export const podDisruptionBudgetResource = workloadResource(PodDisruptionBudget)
