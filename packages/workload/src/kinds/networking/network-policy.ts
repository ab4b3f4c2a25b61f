import type { NetworkPolicy as NetworkPolicyObject } from '../../generated/types/networking-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type NetworkPolicy = NetworkPolicyObject
/** Handle of networkpolicies in networking.k8s.io/v1. */
export const NetworkPolicy = kindOf<NetworkPolicy>('networking.k8s.io/v1', 'networkpolicies')

export const networkPolicyResource = workloadResource(NetworkPolicy)
