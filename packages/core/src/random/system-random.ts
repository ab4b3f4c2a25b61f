import { randomBytes, randomUUID } from 'node:crypto'
import type { Random } from './random.ts'

/** The alphabet of generated names: no vowels and no digits that look like letters. */
export const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Cryptographically strong randomness of the platform. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (length) => new Uint8Array(randomBytes(length)),
  uuid: () => randomUUID(),
  // 243 is the largest multiple of 27 in a byte: larger values are drawn again, so that every character is equally likely.
  suffix(length) {
    let text = ''
    while (text.length < length) {
      for (const byte of randomBytes(length - text.length + 4)) {
        if (byte < 243 && text.length < length) text += suffixAlphabet[byte % suffixAlphabet.length]
      }
    }
    return text
  },
}
