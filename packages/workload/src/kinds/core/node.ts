import type { Node as NodeObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Node = NodeObject
/** Handle of nodes in v1. */
export const Node = kindOf<Node>('v1', 'nodes')

export const nodeResource = workloadResource(Node)
