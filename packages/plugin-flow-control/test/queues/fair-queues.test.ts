import { array, assert, constantFrom, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueues, type Waiter } from '../../src/queues/fair-queues.ts'
import { dealHand, hashFlow } from '../../src/queues/shuffle-shard.ts'

/** A server with some seats on virtual time: each flow keeps so many requests of one length waiting or running. */
function simulate(
  flows: readonly { readonly queue: number; readonly depth: number; readonly ms: number; readonly width: number }[],
  seats: number,
  untilMs: number,
) {
  const queues = new FairQueues<number>({ queues: 16, lengthLimit: 1_000 })
  const service = flows.map(() => 0)
  const running: { readonly flow: number; readonly waiter: Waiter<number>; readonly ends: number }[] = []
  let inUse = 0
  let now = 0
  const arrive = (flow: number): void => {
    const { queue, width } = flows[flow] as (typeof flows)[number]
    expect(queues.enqueue([queue], flow, width, now)).toBeDefined()
  }
  flows.forEach(({ depth }, flow) => {
    for (let i = 0; i < depth; i++) arrive(flow)
  })
  while (now < untilMs) {
    for (;;) {
      const waiter = queues.dispatch((width) => inUse === 0 || inUse + width <= seats, 5)
      if (waiter === undefined) break
      inUse += waiter.width
      running.push({ flow: waiter.item, waiter, ends: now + (flows[waiter.item] as (typeof flows)[number]).ms })
    }
    running.sort((a, b) => a.ends - b.ends)
    const done = running.shift() as (typeof running)[number]
    now = done.ends
    const { ms, width } = flows[done.flow] as (typeof flows)[number]
    queues.finish(done.waiter, ms)
    inUse -= done.waiter.width
    service[done.flow] = (service[done.flow] as number) + ms * width
    arrive(done.flow)
  }
  return service
}

describe('fair queues', () => {
  it('give two flows the same service, however many requests one of them has and however long they take', () => {
    assert(
      property(
        record({ depth: integer({ min: 8, max: 100 }), ms: integer({ min: 1, max: 50 }) }),
        integer({ min: 1, max: 4 }),
        ({ depth, ms }, seats) => {
          // Enough of the small one to use its half: a flow cannot be given what it does not ask for.
          const [one = 0, other = 0] = simulate(
            [
              { queue: 0, depth, ms, width: 1 },
              { queue: 1, depth: 8, ms: 5, width: 1 },
            ],
            seats,
            10_000,
          )
          expect(Math.abs(one - other) / (one + other)).toBeLessThan(0.05)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('count a wide request as the seats that it takes', () => {
    const [wide = 0, narrow = 0] = simulate(
      [
        { queue: 0, depth: 20, ms: 10, width: 8 },
        { queue: 1, depth: 20, ms: 10, width: 1 },
      ],
      10,
      20_000,
    )
    expect(wide / narrow).toBeGreaterThan(0.5)
    expect(wide / narrow).toBeLessThan(1.5)
  })

  it('starve nobody: what waits is served after at most one round of all queues', () => {
    const queues = new FairQueues<string>({ queues: 8, lengthLimit: 100 })
    for (let queue = 0; queue < 7; queue++) for (let i = 0; i < 50; i++) queues.enqueue([queue], 'many', 1, 0)
    for (let i = 0; i < 100; i++) queues.finish(queues.dispatch(() => true, 1) as Waiter<string>, 3)
    queues.enqueue([7], 'one', 1, 0)
    const served = Array.from({ length: 8 }, () => {
      const waiter = queues.dispatch(() => true, 1) as Waiter<string>
      queues.finish(waiter, 3)
      return waiter.item
    })
    expect(served).toContain('one')
  })

  it('gain nothing by coming and going', () => {
    const queues = new FairQueues<number>({ queues: 2, lengthLimit: 100 })
    const served = [0, 0]
    for (let i = 0; i < 50; i++) queues.enqueue([0], 0, 1, 0)
    for (let round = 0; round < 40; round++) {
      // The second flow always comes alone and is away between its requests.
      queues.enqueue([1], 1, 1, 0)
      for (let i = 0; i < 2; i++) {
        const waiter = queues.dispatch(() => true, 1) as Waiter<number>
        queues.finish(waiter, 1)
        served[waiter.item] = (served[waiter.item] as number) + 1
        if (waiter.item === 0) queues.enqueue([0], 0, 1, 0)
      }
    }
    expect(Math.abs((served[0] as number) - (served[1] as number))).toBeLessThanOrEqual(2)
  })

  it('lose no request and no seat, whatever happens in whatever order', () => {
    const step = constantFrom('enqueue', 'dispatch', 'finish', 'cancel', 'expire')
    assert(
      property(
        array(record({ step, which: integer({ min: 0, max: 50 }), width: integer({ min: 1, max: 12 }) }), { maxLength: 200 }),
        (steps) => {
          const queues = new FairQueues<number>({ queues: 4, lengthLimit: 5 })
          const waiting: Waiter<number>[] = []
          const running: Waiter<number>[] = []
          const seats = 10
          let inUse = 0
          steps.forEach(({ step: what, which, width }, at) => {
            if (what === 'enqueue') {
              const waiter = queues.enqueue([which % 4, (which + 1) % 4], at, width, at)
              if (waiter !== undefined) waiting.push(waiter)
            } else if (what === 'dispatch') {
              const waiter = queues.dispatch((wide) => inUse === 0 || inUse + wide <= seats, 1)
              if (waiter === undefined) {
                expect(waiting.length === 0 || inUse > 0).toBe(true)
                return
              }
              waiting.splice(waiting.indexOf(waiter), 1)
              running.push(waiter)
              inUse += waiter.width
            } else if (what === 'finish') {
              const [waiter] = running.splice(which % Math.max(1, running.length), 1)
              if (waiter === undefined) return
              queues.finish(waiter, which)
              inUse -= waiter.width
            } else if (what === 'cancel') {
              const [waiter] = waiting.splice(which % Math.max(1, waiting.length), 1)
              if (waiter !== undefined) expect(queues.cancel(waiter)).toBe(true)
            } else for (const waiter of queues.expire(at - 20)) waiting.splice(waiting.indexOf(waiter), 1)
            expect(queues.waiting).toBe(waiting.length)
            expect(queues.seatsWaiting).toBe(waiting.reduce((sum, one) => sum + one.width, 0))
          })
          for (const waiter of running) queues.finish(waiter, 1)
          let rest = 0
          while (queues.dispatch(() => true, 1) !== undefined) rest++
          expect(rest).toBe(waiting.length)
        },
      ),
    )
  })

  it('refuse what a full queue cannot take', () => {
    const queues = new FairQueues<number>({ queues: 1, lengthLimit: 2 })
    expect([1, 2, 3].map((item) => queues.enqueue([0], item, 1, 0) !== undefined)).toEqual([true, true, false])
  })
})

describe('shuffle sharding', () => {
  it('deals different queues within the deck, always the same for a flow', () => {
    assert(
      property(integer({ min: 1, max: 128 }), integer({ min: 1, max: 10 }), integer(), (deck, size, seed) => {
        const hash = hashFlow('schema', String(seed))
        const hand = dealHand(hash, deck, size)
        expect(new Set(hand).size).toBe(Math.min(deck, size))
        expect(hand.every((card) => card >= 0 && card < deck)).toBe(true)
        expect(dealHand(hashFlow('schema', String(seed)), deck, size)).toEqual(hand)
      }),
    )
  })

  it('leaves a light flow a queue of its own beside sixteen heavy ones', () => {
    let squeezed = 0
    for (let light = 0; light < 500; light++) {
      const taken = new Set(Array.from({ length: 16 }, (_, heavy) => dealHand(hashFlow('s', `heavy-${light}-${heavy}`), 128, 6)).flat())
      if (dealHand(hashFlow('s', `light-${light}`), 128, 6).every((card) => taken.has(card))) squeezed++
    }
    // Of hands of 6 from 128 about 2.5 % are squeezed by 16 others, says the table in Kubernetes' documentation.
    expect(squeezed / 500).toBeLessThan(0.06)
  })
})
