import { expect, it } from 'vitest'
import { createSeededRandom } from '../../src/random/seeded-random.ts'

const draw = (seed: number) => {
  const random = createSeededRandom(seed)
  return [random.next(), random.uuid(), random.suffix(5), [...random.bytes(4)]]
}

it('gives the same sequence for the same seed and another for another', () => {
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

it('makes version 4 UUIDs and suffixes of the alphabet', () => {
  const random = createSeededRandom()
  expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(random.suffix(50)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{50}$/)
})
