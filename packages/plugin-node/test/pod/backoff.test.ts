import { describe, expect, it } from 'vitest'
import { Backoff } from '../../src/pod/backoff.ts'

describe('Backoff', () => {
  it('doubles from its base to its maximum', () => {
    const backoff = new Backoff({ baseMs: 10, maxMs: 50 })
    let at = 1_000
    const delays = Array.from({ length: 5 }, () => {
      const until = backoff.next('a', at)
      const delay = until - at
      at = until
      return delay
    })
    expect(delays).toEqual([10, 20, 40, 50, 50])
  })

  it('lets the first failure pass when told to', () => {
    const backoff = new Backoff({ baseMs: 10, maxMs: 50, firstFree: true })
    expect([backoff.next('a', 0), backoff.next('a', 0), backoff.next('a', 10)]).toEqual([0, 10, 30])
  })

  it('forgets after twice its maximum without a failure, and when it is told', () => {
    const backoff = new Backoff({ baseMs: 10, maxMs: 50 })
    backoff.next('a', 0)
    backoff.next('a', 10)
    expect(backoff.next('a', 131)).toBe(141)
    backoff.reset('a')
    expect(backoff.until('a')).toBeUndefined()
  })
})
