import { StoreError } from '../store/store-error.ts'
import type { ValueTransform } from './value-transform.ts'

const format = 1
const codecJson = 1

/**
 * The bytes of a stored value: format (1), codec (1), length of the key's id (1), the key's id, payload.
 * An empty key id says that the payload is plain. Throws `STORE_CORRUPT` on reading what it did not write.
 */
export function sealValue(payload: Uint8Array, storageKey: string, transform: ValueTransform | undefined): Uint8Array {
  const keyId = transform?.writeKey(storageKey)
  if (transform === undefined || keyId === undefined) {
    const out = Buffer.allocUnsafeSlow(3 + payload.length)
    out[0] = format
    out[1] = codecJson
    out[2] = 0
    out.set(payload, 3)
    return out
  }
  const id = Buffer.from(keyId)
  if (id.length === 0 || id.length > 255)
    throw new StoreError('STORE_FORMAT', `value transform named a key of ${id.length} bytes; 1 to 255 are allowed`)
  return Buffer.concat([Uint8Array.of(format, codecJson, id.length), id, transform.encrypt(payload, keyId, storageKey)])
}

/** Seals a JSON text in one pass where nothing encrypts it. */
export function sealText(text: string, storageKey: string, transform: ValueTransform | undefined): Uint8Array {
  if (transform !== undefined) return sealValue(Buffer.from(text), storageKey, transform)
  const out = Buffer.allocUnsafeSlow(3 + Buffer.byteLength(text))
  out[0] = format
  out[1] = codecJson
  out[2] = 0
  out.write(text, 3)
  return out
}

/** Where the payload of a plain value begins. */
export const plainPayloadAt = 3

/** True for a value that {@link sealValue} wrote without encryption. */
export const isPlainValue = (value: Uint8Array): boolean =>
  value.length >= plainPayloadAt && value[0] === format && value[1] === codecJson && value[2] === 0

/** Id of the key that a value lies under; empty for a plain one. */
export const sealedWith = (value: Uint8Array): string =>
  value[2] ? Buffer.from(value.buffer, value.byteOffset + plainPayloadAt, value[2]).toString() : ''

/** True when a write would seal the value otherwise than it is sealed: under another key, or no longer plain. */
export function isSealedOtherwise(value: Uint8Array, storageKey: string, transform: ValueTransform | undefined): boolean {
  return transform !== undefined && sealedWith(value) !== (transform.writeKey(storageKey) ?? '')
}

/** The payload of {@link sealValue}: a view into `value` when it is plain. */
export function openValue(value: Uint8Array, storageKey: string, transform: ValueTransform | undefined): Buffer {
  if (value.length < 3 || value[0] !== format || value[1] !== codecJson) {
    throw new StoreError(
      'STORE_CORRUPT',
      `the value of ${storageKey} begins with ${[...value.subarray(0, 3)].join(' ')}, which is no envelope of this version`,
      {
        hint: 'the store was written by a newer version or by something else',
      },
    )
  }
  const idLength = value[2] as number
  const payload = value.subarray(3 + idLength)
  if (idLength === 0) return Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  const keyId = Buffer.from(value.subarray(3, 3 + idLength)).toString()
  if (transform === undefined) {
    throw new StoreError(
      'STORE_CORRUPT',
      `the value of ${storageKey} is encrypted with key ${JSON.stringify(keyId)} and nothing provides value-transform/v1`,
    )
  }
  try {
    return Buffer.from(transform.decrypt(payload, keyId, storageKey))
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `the value of ${storageKey} cannot be decrypted with key ${JSON.stringify(keyId)}`, { cause })
  }
}
