import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { ContinuoError, type Random, type ValueTransform } from '@continuo/core'

const algorithm = 'aes-256-gcm'
const nonceLength = 12
const tagLength = 16

/** What is authenticated beside the value: it opens under this key and at this place alone. Keys' names hold no NUL. */
const associated = (keyId: string, storageKey: string): Buffer => Buffer.from(`${keyId}\0${storageKey}`)

/** AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes). The first key writes, all read. */
export class AesTransform implements ValueTransform {
  readonly #keys: ReadonlyMap<string, KeyObject>
  readonly #isWanted: (storageKey: string) => boolean
  readonly #random: Random
  readonly #first: string

  constructor(keys: ReadonlyMap<string, KeyObject>, first: string, isWanted: (storageKey: string) => boolean, random: Random) {
    this.#keys = keys
    this.#first = first
    this.#isWanted = isWanted
    this.#random = random
  }

  get keyIds(): readonly string[] {
    return [...this.#keys.keys()]
  }

  writeKey(storageKey: string): string | undefined {
    return this.#isWanted(storageKey) ? this.#first : undefined
  }

  encrypt(plain: Uint8Array, keyId: string, storageKey: string): Uint8Array {
    const nonce = this.#random.bytes(nonceLength)
    const cipher = createCipheriv(algorithm, this.#key(keyId, storageKey), nonce).setAAD(associated(keyId, storageKey))
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  }

  decrypt(sealed: Uint8Array, keyId: string, storageKey: string): Uint8Array {
    const key = this.#key(keyId, storageKey)
    try {
      const end = sealed.length - tagLength
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceLength), { authTagLength: tagLength })
      decipher.setAAD(associated(keyId, storageKey)).setAuthTag(sealed.subarray(end))
      return Buffer.concat([decipher.update(sealed.subarray(nonceLength, end)), decipher.final()])
    } catch (cause) {
      throw new ContinuoError('ENCRYPTION_REFUSED', `what lies at ${storageKey} does not open with the key ${JSON.stringify(keyId)}`, {
        hint: 'the key of this name is another one than the value was written with, or the value was altered or moved; restore the key or the value',
        cause,
      })
    }
  }

  #key(keyId: string, storageKey: string): KeyObject {
    const key = this.#keys.get(keyId)
    if (key !== undefined) return key
    throw new ContinuoError(
      'ENCRYPTION_KEY_MISSING',
      `what lies at ${storageKey} was encrypted with the key ${JSON.stringify(keyId)}, which the configuration does not name`,
      { hint: `add the key again, after the first; known are ${[...this.#keys.keys()].join(', ')}` },
    )
  }
}
