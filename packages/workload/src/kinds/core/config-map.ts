import type { ConfigMap as ConfigMapObject } from '../../generated/types/core-v1.ts'
import { kindOf } from '../kind-of.ts'
import { workloadResource } from '../workload-resource.ts'

export type ConfigMap = ConfigMapObject
/** Handle of configmaps in v1. */
export const ConfigMap = kindOf<ConfigMap>('v1', 'configmaps')

export const configMapResource = workloadResource(ConfigMap)
