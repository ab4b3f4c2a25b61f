import type { IngressClass as IngressClassObject } from '../../generated/types/networking-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type IngressClass = IngressClassObject
/** Handle of ingressclasses in networking.k8s.io/v1. */
export const IngressClass = kindOf<IngressClass>('networking.k8s.io/v1', 'ingressclasses')

export const ingressClassResource = workloadResource(IngressClass)
