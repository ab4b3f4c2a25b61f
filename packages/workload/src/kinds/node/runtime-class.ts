import type { RuntimeClass as RuntimeClassObject } from '../../generated/types/node-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type RuntimeClass = RuntimeClassObject
/** Handle of runtimeclasses in node.k8s.io/v1. */
export const RuntimeClass = kindOf<RuntimeClass>('node.k8s.io/v1', 'runtimeclasses')

export const runtimeClassResource = workloadResource(RuntimeClass)
