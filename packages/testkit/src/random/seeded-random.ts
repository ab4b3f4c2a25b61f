import { type Random, suffixAlphabet } from '@continuo/core'

/** mulberry32: small, fast and good enough for simulations; never for secrets. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Randomness from a seed: the same seed gives the same sequence of everything. */
export function createSeededRandom(seed = 1): Random {
  const next = mulberry32(seed)
  const byte = (): number => Math.floor(next() * 256)
  return {
    next,
    bytes: (length) => Uint8Array.from({ length }, byte),
    uuid() {
      const bytes = Uint8Array.from({ length: 16 }, byte)
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
      const hex = Buffer.from(bytes).toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    suffix: (length) => Array.from({ length }, () => suffixAlphabet[Math.floor(next() * suffixAlphabet.length)]).join(''),
  }
}
