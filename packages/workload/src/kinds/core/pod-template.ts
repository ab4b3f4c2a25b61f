import type { PodTemplate as PodTemplateObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type PodTemplate = PodTemplateObject
/** Handle of podtemplates in v1. */
export const PodTemplate = kindOf<PodTemplate>('v1', 'podtemplates')

export const podTemplateResource = workloadResource(PodTemplate)
