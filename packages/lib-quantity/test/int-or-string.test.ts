import { describe, expect, it } from 'vitest'
import { percentOf, scaledValue } from '../src/index.ts'

describe('scaledValue', () => {
  it('takes numbers as they are', () => {
    expect(scaledValue(3, 10, 'up')).toBe(3)
  })

  it('rounds percentages as asked', () => {
    expect(scaledValue('25%', 3, 'up')).toBe(1)
    expect(scaledValue('25%', 3, 'down')).toBe(0)
    expect(scaledValue('100%', 7, 'down')).toBe(7)
    expect(scaledValue('0%', 7, 'up')).toBe(0)
  })

  it('does not lose a pod to floating point', () => {
    for (let total = 1; total <= 500; total++)
      for (let percent = 0; percent <= 100; percent++) {
        expect(scaledValue(`${percent}%`, total, 'up')).toBe(Number((BigInt(percent * total) + 99n) / 100n))
      }
  })

  it.each(['web', '25', '%', '-5%', '1.5%'])('refuses %j', (text) => {
    expect(() => scaledValue(text, 10, 'up')).toThrow(expect.objectContaining({ code: 'INT_OR_STRING_INVALID' }))
    expect(percentOf(text)).toBeUndefined()
  })
})
