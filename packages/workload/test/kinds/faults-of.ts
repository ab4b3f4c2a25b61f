import type { FieldError, ResourceDefinition, UnstructuredObject } from '@continuo/core'

/** What validation says about an object after defaulting, each fault as `path: message`. With `old`, what it says about the update. */
export function faultsOf(resource: ResourceDefinition, object: object, old?: object): readonly string[] {
  const next = complete(object)
  resource.strategy?.default?.(next)
  if (old === undefined) return texts(resource.strategy?.validate?.(next) ?? [])
  const before = complete(old)
  resource.strategy?.default?.(before)
  return texts(resource.strategy?.validateUpdate?.(next, before, undefined) ?? [])
}

const complete = (object: object): UnstructuredObject =>
  structuredClone({ metadata: { name: 'a', namespace: 'default' }, ...object }) as UnstructuredObject

const texts = (faults: readonly FieldError[]): readonly string[] => faults.map(({ field, message }) => `${field}: ${message}`)
