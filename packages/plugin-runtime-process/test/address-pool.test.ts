import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { AddressPool, parseListeners, parseRange, toAddress, toNumber } from '../src/address-pool.ts'

describe('ranges', () => {
  test('are numbers of addresses', () => {
    const { first, last } = parseRange('127.64.3.4/12')
    expect([toAddress(first), toAddress(last)]).toEqual(['127.64.0.0', '127.79.255.255'])
    expect(toAddress(toNumber('127.1.2.255'))).toBe('127.1.2.255')
  })

  test.for(['10.0.0.0/8', '127.0.0.0', '127.0.0.0/7', '127.0.0.0/32', '127.0.0.300/24', 'nonsense'])('%s is refused', (range) => {
    expect(() => parseRange(range)).toThrow(expect.objectContaining({ code: 'RUNTIME_INVALID_SPEC' }))
  })
})

describe('a pool', () => {
  test('gives no address twice, skips those in use, and says when it is empty', async () => {
    const pool = new AddressPool(parseRange('127.65.4.0/29'), 'seed')
    pool.claim('127.65.4.3')
    const given = []
    for (let count = 0; count < 6; count++) given.push(await pool.allocate())
    expect(given.sort()).toEqual([1, 2, 4, 5, 6, 7].map((last) => `127.65.4.${last}`))
    await expect(pool.allocate()).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
    pool.release('127.65.4.5')
    expect(await pool.allocate()).toBe('127.65.4.5')
  })

  test('gives no address on which somebody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.65.5.1', resolve))
    const pool = new AddressPool(parseRange('127.65.5.0/30'), 'seed')
    expect([await pool.allocate(), await pool.allocate()].sort()).toEqual(['127.65.5.2', '127.65.5.3'])
    server.close()
  })

  test('begins at different places for different directories', async () => {
    const range = parseRange('127.64.0.0/12')
    const firsts = await Promise.all(['a', 'b', 'c'].map((seed) => new AddressPool(range, seed).allocate()))
    expect(new Set(firsts).size).toBe(3)
  })
})

describe('listeners', () => {
  test('are read from /proc/net/tcp', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000',
      '   1: 0205417F:0050 00000000:0000 0A 00000000:00000000',
      '   2: 0305417F:0050 0305417F:9999 01 00000000:00000000',
    ].join('\n')
    expect([...parseListeners(text)]).toEqual(['127.0.0.1', '127.65.5.2'])
  })
})
