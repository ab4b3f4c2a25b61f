import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import type { ServedResource } from '../resources/registry.ts'
import type { VersionDefinition } from '../resources/resource.ts'
import { jsonEqual } from '../schema/json-value.ts'

export const hasStatusSubresource = (version: VersionDefinition): boolean =>
  version.subresources?.some((subresource) => subresource.name === 'status' && subresource.type === 'object') === true

/** Kinds with a spec count its changes in `metadata.generation`, and so do all custom resources and kinds that ask for it. */
export const hasGeneration = ({ definition, schema }: ServedResource): boolean =>
  definition.custom === true || definition.strategy?.countsGeneration === true || schema.properties?.spec !== undefined

/** True when two objects differ in something other than the top-level members that are left out. */
export function differs(a: DeepReadonly<object>, b: DeepReadonly<object>, except: readonly string[]): boolean {
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!except.includes(key) && !jsonEqual(left[key], right[key])) return true
  }
  return false
}

const identity = ['apiVersion', 'kind', 'metadata']

/** Whether an update raises the generation: by the resource's own rule, or when anything but metadata (and a status of its own) differs. */
export function raisesGeneration(
  served: ServedResource,
  next: DeepReadonly<UnstructuredObject>,
  old: DeepReadonly<UnstructuredObject>,
): boolean {
  if (!hasGeneration(served)) return false
  const { strategy } = served.definition
  if (strategy?.changesGeneration !== undefined) return strategy.changesGeneration(next, old)
  return differs(next, old, hasStatusSubresource(served.version) ? [...identity, 'status'] : identity)
}

/** True when an update would store what is stored already: times in managedFields do not count. */
export function isUnchanged(next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject>): boolean {
  if (differs(next, old, ['metadata'])) return false
  if (differs(next.metadata, old.metadata, ['managedFields', 'resourceVersion'])) return false
  const timeless = (object: DeepReadonly<UnstructuredObject>): unknown =>
    object.metadata.managedFields?.map(({ time: _time, ...entry }) => entry) ?? []
  return jsonEqual(timeless(next), timeless(old))
}
