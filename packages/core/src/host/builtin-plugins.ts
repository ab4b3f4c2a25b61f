import type { AnyCapability } from '../capability/capability.ts'
import { ObjectClientCap } from '../client/object-client.ts'
import { objectsPlugin } from '../client/objects-plugin.ts'
import { StoreCap } from '../store/store.ts'
import type { SlotSpec } from './checked-slot.ts'

/** Slot of the built-in plugin that turns a store into the API. */
export const objectsSlot = 'objects'

const provides = (spec: SlotSpec, capability: AnyCapability): boolean => {
  const { provides: declared } = spec.plugin
  // Only static declarations can be read before the configuration is checked.
  return Array.isArray(declared) && declared.some((provided: AnyCapability) => provided.key === capability.key)
}

/** Adds the object stack where there is a store and nobody brings an object client. */
export function withBuiltins(specs: readonly SlotSpec[], inherited: readonly AnyCapability[]): readonly SlotSpec[] {
  const has = (capability: AnyCapability): boolean =>
    inherited.some((given) => given.key === capability.key) || specs.some((spec) => provides(spec, capability))
  if (!has(StoreCap) || has(ObjectClientCap) || specs.some((spec) => spec.slot === objectsSlot)) return specs
  return [{ slot: objectsSlot, plugin: objectsPlugin }, ...specs]
}
