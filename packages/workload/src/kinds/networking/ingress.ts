import type { Ingress as IngressObject } from '../../generated/types/networking-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Ingress = IngressObject
/** Handle of ingresses in networking.k8s.io/v1. */
export const Ingress = kindOf<Ingress>('networking.k8s.io/v1', 'ingresses')

export const ingressResource = workloadResource(Ingress)
