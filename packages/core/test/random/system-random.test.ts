import { expect, it } from 'vitest'
import { systemRandom } from '../../src/index.ts'

it('makes suffixes of the alphabet in every length, without preference', () => {
  const text = systemRandom.suffix(27_000)
  expect(text).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{27000}$/)
  const counts = new Map<string, number>()
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  expect(Math.min(...counts.values())).toBeGreaterThan(800)
  expect(Math.max(...counts.values())).toBeLessThan(1_200)
})

it('draws numbers in [0, 1) and version 4 UUIDs', () => {
  for (let at = 0; at < 1_000; at += 1) {
    const number = systemRandom.next()
    expect(number >= 0 && number < 1).toBe(true)
  }
  expect(systemRandom.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  expect(systemRandom.bytes(16)).toHaveLength(16)
})
