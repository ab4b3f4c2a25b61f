import { describe, expect, it } from 'vitest'
import { SourceLimiter } from '../../src/server/source-limiter.ts'

const admitted = (limiter: SourceLimiter, address: string, times: number, now: number): number =>
  Array.from({ length: times }, () => limiter.admit(address, now)).filter(Boolean).length

describe('the questions of one source', () => {
  it('are as many as it may have, and twice that at once', () => {
    const limiter = new SourceLimiter(10, 100)
    expect(admitted(limiter, '192.0.2.1', 100, 0)).toBe(20)
    expect(admitted(limiter, '192.0.2.1', 100, 500)).toBe(5)
    expect(admitted(limiter, '192.0.2.2', 100, 500)).toBe(20)
    expect(admitted(limiter, '192.0.2.1', 100, 60_000)).toBe(20)
  })

  it('are counted for the whole network of an IPv6 address', () => {
    const limiter = new SourceLimiter(10, 100)
    expect(admitted(limiter, '2001:db8:1:2::1', 15, 0)).toBe(15)
    expect(admitted(limiter, '2001:db8:1:2:3:4:5:6', 15, 0)).toBe(5)
    expect(admitted(limiter, '2001:db8:1:3::1', 15, 0)).toBe(15)
  })

  it('are not bounded by 0', () => {
    expect(admitted(new SourceLimiter(0, 100), '192.0.2.1', 1_000, 0)).toBe(1_000)
  })

  it('take bounded memory, however many sources there are', () => {
    const limiter = new SourceLimiter(10, 100)
    for (let at = 0; at < 1_000; at++) limiter.admit(`192.0.${at >> 8}.${at & 255}`, at)
    expect(limiter.sources).toBe(100)
  })
})
