import type { CacheEntry, DispatchIndex } from '../cache/watch-cache.ts'
import type { ServedResource } from '../resources/registry.ts'
import type { ResourceDefinition } from '../resources/resource.ts'
import { parseObjectKey, resourcePrefix } from '../resources/storage-key.ts'
import { fieldDispatchKey, nameDispatchKey, namespaceDispatchKey } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import { StoredView } from './stored-view.ts'

/** Keys by which events of a resource find their watchers: namespace, name, and the selectable fields of the storage version. */
export function dispatchIndex(parts: ServiceParts, served: ServedResource): DispatchIndex {
  const { definition } = served
  const form = parts.forms.stored(served)
  const stored = definition.versions.find((version) => version.name === definition.storageVersion)
  const fields = Object.entries(stored?.selectableFields ?? {})
  return {
    keysOf(entry: CacheEntry): readonly string[] {
      const { namespace, name } = parseObjectKey(definition, entry.key)
      const keys = [nameDispatchKey(namespace, name)]
      if (definition.namespaced) keys.push(namespaceDispatchKey(namespace))
      if (fields.length === 0) return keys
      const view = new StoredView(parts.views, form, entry)
      // Stored in an older version: its fields cannot be known without waiting, and it is found by scanning instead.
      if (view.needsConversion) return keys
      for (const [field, read] of fields) keys.push(fieldDispatchKey(field, read(view.object)))
      return keys
    },
  }
}

/** Declares the dispatch keys of every resource that the registry holds, now and later, until disposed. */
export function indexResources(parts: ServiceParts): Disposable {
  const declared = new Map<ResourceDefinition, Disposable>()
  const sync = (): void => {
    const served = new Map(parts.registry.served().map((one) => [one.definition, one]))
    for (const [definition, index] of declared) {
      if (served.has(definition)) continue
      index[Symbol.dispose]()
      declared.delete(definition)
    }
    for (const [definition, one] of served) {
      if (definition.virtual === true || declared.has(definition)) continue
      declared.set(definition, parts.cache.index(resourcePrefix(definition), dispatchIndex(parts, one)))
    }
  }
  sync()
  const stop = parts.registry.onChange(sync)
  return {
    [Symbol.dispose]() {
      stop()
      for (const index of declared.values()) index[Symbol.dispose]()
      declared.clear()
    },
  }
}
