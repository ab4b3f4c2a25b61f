import { formatApiVersion } from '../objects/names.ts'
import type { ResourceDefinition } from '../resources/resource.ts'
import { openValue, sealedWith } from '../resources/value-envelope.ts'
import type { ValueTransform } from '../resources/value-transform.ts'

/** Why a value is written anew: it lies plain where it is to be encrypted, under another key than the one that writes, or in another version. */
export type RewriteReason = 'plain' | 'key' | 'version'

/** The version in which objects of a resource are stored, as `apiVersion` says it. */
export const storageApiVersion = ({ group, storageVersion }: Pick<ResourceDefinition, 'group' | 'storageVersion'>): string =>
  formatApiVersion({ group, version: storageVersion })

/** Whether the key of a value, or its being plain, is what a write today would leave. Looks at the envelope alone. Pure. */
export function sealReason(value: Uint8Array, storageKey: string, transform: ValueTransform): 'plain' | 'key' | undefined {
  const wanted = transform.writeKey(storageKey) ?? ''
  const found = sealedWith(value)
  if (found === wanted) return undefined
  return found === '' ? 'plain' : 'key'
}

/** Whether a value is stored in another version than a write today would store. Opens the value. Throws when it does not open. */
export function versionReason(
  value: Uint8Array,
  storageKey: string,
  apiVersion: string,
  transform: ValueTransform | undefined,
): 'version' | undefined {
  const beginning = `{"apiVersion":${JSON.stringify(apiVersion)},`
  return openValue(value, storageKey, transform).toString('utf8', 0, Buffer.byteLength(beginning)) === beginning ? undefined : 'version'
}
