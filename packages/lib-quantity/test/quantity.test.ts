import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityToNumber,
  quantityValue,
  subtractQuantities,
} from '../src/index.ts'

describe('parseQuantity', () => {
  it.each([
    ['0', 0n],
    ['1', 10n ** 9n],
    ['1.5', 1_500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5n * 10n ** 9n],
    ['250m', 250_000_000n],
    ['100n', 100n],
    ['3u', 3000n],
    ['1k', 10n ** 12n],
    ['2E', 2n * 10n ** 27n],
    ['1Ki', 1024n * 10n ** 9n],
    ['0.5Mi', 524_288n * 10n ** 9n],
    ['1e3', 10n ** 12n],
    ['1E-3', 10n ** 6n],
    ['+2', 2n * 10n ** 9n],
    ['-2Gi', -2n * 2n ** 30n * 10n ** 9n],
  ])('reads %s', (text, nano) => {
    expect(parseQuantity(text).nano).toBe(nano)
  })

  it('reads numbers as YAML gives them', () => {
    expect(parseQuantity(2).nano).toBe(2n * 10n ** 9n)
    expect(formatQuantity(0.1)).toBe('100m')
  })

  it.each(['', '.', '1x', 'x', '1 ', ' 1', '1mi', '1KI', '1e', '--1', '1.2.3', 'Infinity', '1,5', '0x10', '1e3m'])('refuses %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(expect.objectContaining({ code: 'QUANTITY_INVALID' }))
    expect(isQuantity(text)).toBe(false)
  })

  it('rounds what is finer than a billionth away from zero', () => {
    expect(parseQuantity('0.1n').nano).toBe(1n)
    expect(parseQuantity('-0.1n').nano).toBe(-1n)
    expect(parseQuantity('1e-999999999').nano).toBe(1n)
  })

  it('cuts amounts at 2^63-1 without computing them', () => {
    expect(quantityValue('1e999999999')).toBe(2n ** 63n - 1n)
    expect(quantityValue('-100E')).toBe(-(2n ** 63n - 1n))
  })
})

describe('formatQuantity', () => {
  it.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000Ki', '1000Ki'],
    ['512', '512'],
    ['0.5Ki', '512'],
    ['0.0001Ki', '102400u'],
    ['12000', '12k'],
    ['1e3', '1e3'],
    ['1000e3', '1e6'],
    ['1e-3', '1e-3'],
    ['0Gi', '0'],
    ['-1024Ki', '-1Mi'],
    ['1E', '1E'],
    ['2048Pi', '2Ei'],
  ])('writes %s as %s', (text, canonical) => {
    expect(formatQuantity(text)).toBe(canonical)
  })

  it('is stable, and keeps the amount', () => {
    const suffixes = ['', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e2', 'E-4']
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 0, max: 999 }),
        fc.constantFrom(...suffixes),
        (whole, fraction, suffix) => {
          const text = `${whole}.${fraction}${suffix}`
          const canonical = formatQuantity(text)
          expect(parseQuantity(canonical).nano).toBe(parseQuantity(text).nano)
          expect(formatQuantity(canonical)).toBe(canonical)
        },
      ),
    )
  })
})

describe('arithmetic', () => {
  it('adds and subtracts exactly, in the format of the first operand that is not zero', () => {
    expect(formatQuantity(addQuantities('100m', '0.9'))).toBe('1')
    expect(formatQuantity(addQuantities('0', '1Gi'))).toBe('1Gi')
    expect(formatQuantity(subtractQuantities('1Gi', '1Mi'))).toBe('1023Mi')
    expect(formatQuantity(addQuantities('9007199254740993', '1'))).toBe('9007199254740994')
  })

  it('compares across notations', () => {
    expect(compareQuantities('1Gi', '1G')).toBe(1)
    expect(compareQuantities('1000m', 1)).toBe(0)
    expect(compareQuantities('-1', '1n')).toBe(-1)
  })

  it('rounds whole and milli values up', () => {
    expect(quantityValue('1001m')).toBe(2n)
    expect(quantityMilliValue('1u')).toBe(1n)
    expect(quantityMilliValue('0.1')).toBe(100n)
    expect(quantityToNumber('250m')).toBe(0.25)
  })
})
