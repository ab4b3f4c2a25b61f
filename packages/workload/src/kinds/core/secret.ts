import type { Secret as SecretObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type Secret = SecretObject
/** Handle of secrets in v1. */
export const Secret = kindOf<Secret>('v1', 'secrets')

export const secretResource = workloadResource(Secret)
