import packet from 'dns-packet'
import { describe, expect, it } from 'vitest'
import { AnswerCache } from '../../src/forward/answer-cache.ts'

const limits = { entries: 3, bytes: 10_000, maxTtl: 100, maxNegativeTtl: 50 }
const a = (name: string, ttl: number): packet.Answer => ({ name, type: 'A', ttl, data: '192.0.2.1' })
const soa = (ttl: number, minimum: number): packet.Answer => ({
  name: 'example.com',
  type: 'SOA',
  ttl,
  data: { mname: 'a.example', rname: 'b.example', minimum },
})
const answer = (answers: packet.Answer[], authorities: packet.Answer[] = [], rcode = 0) =>
  packet.encode({ type: 'response', flags: rcode, questions: [{ name: 'x.example.com', type: 'A' }], answers, authorities })

/** Seconds for which the cache gives the message out again. */
function kept(message: Buffer): number {
  const cache = new AnswerCache(limits)
  cache.put('key', message, 0)
  let seconds = 0
  while (cache.get('key', seconds * 1_000) !== undefined) seconds++
  return seconds
}

describe('an answer is kept', () => {
  it.each([
    ['for the shortest of its times', answer([a('x.example.com', 30), a('x.example.com', 20)]), 20],
    ['for no longer than is allowed', answer([a('x.example.com', 5_000)]), 100],
    ['not at all with a time of 0', answer([a('x.example.com', 0)]), 0],
    ['for the time of its absence', answer([], [soa(40, 30)], 3), 30],
    ['for the time of the record that says so', answer([], [soa(10, 30)], 3), 10],
    ['for no longer than absences may be', answer([], [soa(500, 300)]), 50],
    ['not at all when nobody says how long it is absent', answer([], [], 3), 0],
    ['not at all when the server failed', answer([], [soa(40, 30)], 2), 0],
    ['not at all when it was cut', answer([a('x.example.com', 30)], [], packet.TRUNCATED_RESPONSE), 0],
    ['not at all when it is no message', Buffer.from('nonsense'), 0],
  ])('%s', (_, message, seconds) => {
    expect(kept(message)).toBe(seconds)
  })
})

describe('the cache', () => {
  it('counts down what clients may keep', () => {
    const cache = new AnswerCache(limits)
    cache.put('key', answer([a('x.example.com', 5_000)]), 0)
    const ttl = (now: number) => packet.decode(cache.get('key', now) as Buffer).answers?.map((one) => 'ttl' in one && one.ttl)
    expect(ttl(0)).toEqual([100])
    expect(ttl(30_900)).toEqual([70])
  })

  it('lets the least used go, by number and by size', () => {
    const cache = new AnswerCache(limits)
    for (const key of ['a', 'b', 'c']) cache.put(key, answer([a('x.example.com', 30)]), 0)
    cache.get('a', 0)
    cache.put('d', answer([a('x.example.com', 30)]), 0)
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key, 0) !== undefined)).toEqual([true, false, true, true])
    const small = new AnswerCache({ ...limits, bytes: 100 })
    for (let at = 0; at < 10; at++) small.put(`${at}`, answer([a('x.example.com', 30)]), 0)
    expect(small.bytes).toBeLessThanOrEqual(100)
    expect(small.size).toBe(1)
  })
})
