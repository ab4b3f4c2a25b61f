import type { ControllerRevision as ControllerRevisionObject } from '../../generated/types/apps-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ControllerRevision = ControllerRevisionObject
/** Handle of controllerrevisions in apps/v1. */
export const ControllerRevision = kindOf<ControllerRevision>('apps/v1', 'controllerrevisions')

export const controllerRevisionResource = workloadResource(ControllerRevision)
