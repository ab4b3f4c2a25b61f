import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys, prefixEnd } from '../../src/store/key-order.ts'
import { SortedMap } from '../../src/store/sorted-map.ts'

const unit = fc.constantFrom('a', 'b', '/', 'é', '\uffee', '\ue000', '😀', '\u{10ffff}')
const key = fc.array(unit, { minLength: 1, maxLength: 4 }).map((units) => units.join(''))
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('compareKeys', () => {
  it('is the byte order of UTF-8', () => {
    fc.assert(fc.property(key, key, (a, b) => Math.sign(compareKeys(a, b)) === byBytes(a, b)))
  })
})

describe('prefixEnd', () => {
  it('lies behind every key with the prefix and before every other that follows', () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        const end = prefixEnd(prefix)
        const inside = byBytes(other, prefix) >= 0 && (end === undefined || byBytes(other, end) < 0)
        return inside === other.startsWith(prefix)
      }),
    )
  })
})

describe('SortedMap', () => {
  it('agrees with a sorted array after any sequence of sets and deletes', () => {
    const step = fc.record({ remove: fc.boolean(), key })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), key, fc.option(key, { nil: undefined }), (steps, prefix, startKey) => {
        const map = new SortedMap<{ key: string; n: number }>()
        const model = new Map<string, number>()
        for (const [n, { remove, key }] of steps.entries()) {
          if (remove) map.delete(key)
          else map.set({ key, n })
          if (remove) model.delete(key)
          else model.set(key, n)
        }
        const expected = [...model.keys()]
          .filter((k) => k.startsWith(prefix) && (startKey === undefined || byBytes(k, startKey) >= 0))
          .sort(byBytes)
        expect(map.list(prefix, startKey).map((value) => value.key)).toEqual(expected)
        expect(map.count(prefix, startKey)).toBe(expected.length)
        expect(map.size).toBe(model.size)
        for (const [k, n] of model) expect(map.get(k)?.n).toBe(n)
      }),
    )
  })

  it('keeps order and counts over many chunks, filled and emptied in any order', () => {
    const map = new SortedMap<{ key: string }>()
    const keys = Array.from({ length: 20_000 }, (_, i) => `/${(i * 7_919) % 20_000}`.padStart(7, '0'))
    for (const key of keys) map.set({ key })
    const sorted = [...keys].sort()
    expect(map.list('').map((value) => value.key)).toEqual(sorted)
    expect(map.count('', sorted[5_000])).toBe(15_000)
    for (const key of keys.slice(0, 19_900)) map.delete(key)
    expect(map.list('').map((value) => value.key)).toEqual(keys.slice(19_900).sort())
    expect(map.count('', sorted[0])).toBe(100)
    for (const key of keys) map.delete(key)
    expect(map.list('')).toEqual([])
  })
})
