import type { Registry } from '../resources/registry.ts'
import { objectKey } from '../resources/storage-key.ts'
import type { StoreCondition } from '../store/store.ts'
import { notServed } from './api-errors.ts'
import type { Fence } from './caller.ts'
import type { VersionScale } from './resource-version.ts'

/** What a commit under a fence depends on: the epoch is still at the version that its leader knows. Throws 404 for a kind that is not served. */
export function fenceCondition(registry: Registry, scale: VersionScale, fence: Fence): StoreCondition {
  const definition = registry.get(fence)
  if (definition === undefined) throw notServed()
  return { key: objectKey(definition, fence.namespace, fence.name), modRevision: scale.parse(fence.resourceVersion) }
}
