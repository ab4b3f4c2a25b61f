const exotic = /[\ud800-\uffff]/

/** Whether a key holds a code unit for which UTF-16 order and UTF-8 byte order can differ. */
export const isExoticKey = (key: string): boolean => exotic.test(key)

/** Compares two keys by their code units: the byte order of UTF-8 as long as neither is exotic. */
export const comparePlainKeys = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/**
 * Compares two keys by the bytes of their UTF-8 encoding, the order of every store.
 * It differs from `<` only where a surrogate pair meets a code unit from U+E000 on.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Surrogates encode code points above U+FFFF, so they sort behind every other code unit. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)

/** The first key behind all keys with the prefix; undefined when there is none because the prefix is empty or holds only U+10FFFF. */
export function prefixEnd(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) as number)
  while (points.length > 0) {
    const last = points.pop() as number
    if (last === 0x10ffff) continue
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}
