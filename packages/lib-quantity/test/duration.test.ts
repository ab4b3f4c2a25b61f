import { describe, expect, it } from 'vitest'
import { formatDuration, formatDurationNanos, humanDuration, parseDuration, parseDurationNanos } from '../src/index.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('parseDuration', () => {
  it.each([
    ['1h2m3s', hour + 2 * minute + 3 * second],
    ['1.5h', 1.5 * hour],
    ['300ms', 300],
    ['-5s', -5000],
    ['0', 0],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['.5s', 500],
    ['1m1m', 2 * minute],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each(['', '5', 's', '1x', '1h ', '1 h', '-', '1d', '.s', '9999999h9999999h9999999h'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }))
  })
})

describe('formatDuration', () => {
  it.each(['1h2m3s', '1h0m0s', '1m30s', '1.5s', '300ms', '1.5µs', '7ns', '0s', '-2m0s'])('writes %s as it was read', (text) => {
    expect(formatDurationNanos(parseDurationNanos(text))).toBe(text)
  })

  it('takes milliseconds', () => {
    expect(formatDuration(90_000)).toBe('1m30s')
  })
})

describe('humanDuration', () => {
  it.each([
    [-5 * second, '<invalid>'],
    [-500, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [3 * minute + 20 * second, '3m20s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [3 * hour + 5 * minute, '3h5m'],
    [8 * hour + 5 * minute, '8h'],
    [47 * hour, '47h'],
    [2 * day + 4 * hour, '2d4h'],
    [8 * day + 4 * hour, '8d'],
    [3 * 365 * day + 2 * day, '3y2d'],
    [9 * 365 * day, '9y'],
  ])('shows %d ms as %s', (milliseconds, text) => {
    expect(humanDuration(milliseconds)).toBe(text)
  })
})
