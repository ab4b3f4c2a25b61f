import { expect, test } from 'vitest'
import { DueTimes } from '../../src/expiry/due-times.ts'

test('takes out what is due, in batches, and each once', () => {
  const times = new DueTimes()
  for (const [key, at] of [
    ['a', 10],
    ['b', 20],
    ['c', 15],
    ['d', 5],
  ] as const)
    times.set(key, at)
  times.delete('d')
  expect(times.take(9, 10)).toEqual([])
  expect(times.take(16, 1)).toEqual(['a'])
  expect(times.take(16, 1)).toEqual(['c'])
  expect(times.take(16, 1)).toEqual([])
  expect(times.take(20, 5)).toEqual(['b'])
  expect(times.size).toBe(0)
})

test('follows a key that expires later or no longer', () => {
  const times = new DueTimes()
  times.set('a', 10)
  times.set('a', 30)
  times.set('b', 10)
  times.set('b', undefined)
  expect(times.take(20, 5)).toEqual([])
  expect(times.take(30, 5)).toEqual(['a'])
})
