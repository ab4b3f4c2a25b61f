import type { Deployment as DeploymentObject } from '../../generated/types/apps-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Deployment = DeploymentObject
/** Handle of deployments in apps/v1. */
export const Deployment = kindOf<Deployment>('apps/v1', 'deployments')

export const deploymentResource = workloadResource(Deployment)
