import { capability } from '../capability/capability.ts'

/**
 * What stands between the codec and the store: encryption at rest. Optional; without a provider values are stored plain.
 * Synchronous, because values are decoded when they are read: a provider that needs a remote key service fetches its data keys beforehand.
 */
export interface ValueTransform {
  /** Every key that it opens values with, for telling which is no longer needed. Without it only keys that were seen in use are told. */
  readonly keyIds?: readonly string[]
  /** Id of the key with which a value at this storage key is to be written, or `undefined` to store it plain. At most 255 bytes. */
  writeKey(storageKey: string): string | undefined
  /** `storageKey` is authenticated with the value, so that a value cannot be moved to another key. */
  encrypt(plain: Uint8Array, keyId: string, storageKey: string): Uint8Array
  /** Throws when the key is unknown or the value was tampered with. */
  decrypt(sealed: Uint8Array, keyId: string, storageKey: string): Uint8Array
}

export const ValueTransformCap = capability<ValueTransform>('value-transform/v1')
