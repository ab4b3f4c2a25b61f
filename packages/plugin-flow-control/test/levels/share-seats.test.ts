import { array, assert, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Capacity } from '../../src/levels/capacity.ts'
import { ListWidths } from '../../src/levels/list-widths.ts'
import { lendSeats, shareSeats, smoothDemand } from '../../src/levels/share-seats.ts'

const suggested = new Map(
  Object.entries({
    system: { shares: 30, lendablePercent: 33 },
    'node-high': { shares: 40, lendablePercent: 25 },
    'workload-high': { shares: 40, lendablePercent: 50 },
    'workload-low': { shares: 100, lendablePercent: 90 },
    'catch-all': { shares: 5, lendablePercent: 0 },
    'global-default': { shares: 20, lendablePercent: 50 },
    'leader-election': { shares: 10, lendablePercent: 0 },
  }),
)

describe('shares of seats', () => {
  it('are those of Kubernetes for the suggested levels', () => {
    const ranges = shareSeats(suggested, 600)
    expect(ranges.get('workload-low')).toEqual({ nominal: 245, lower: 24, upper: 600 })
    expect(ranges.get('catch-all')).toEqual({ nominal: 13, lower: 13, upper: 600 })
  })

  it('give all to the levels that ask when the others rest, but what is not lent', () => {
    const ranges = shareSeats(suggested, 600)
    const lent = lendSeats(ranges, new Map([['global-default', { high: 500, smooth: 500 }]]), 600)
    const others = [...ranges].filter(([name]) => name !== 'global-default').reduce((sum, [, { lower }]) => sum + lower, 0)
    expect(lent.get('global-default')).toBeGreaterThan(600 - others - 10)
    expect(lent.get('leader-election')).toBeGreaterThanOrEqual(25)
  })

  it('keep every level between its limits, and give away no seat twice', () => {
    const level = record({
      shares: integer({ min: 0, max: 100 }),
      lendablePercent: integer({ min: 0, max: 100 }),
      borrow: integer({ min: 0, max: 200 }),
    })
    assert(
      property(
        array(level, { minLength: 1, maxLength: 10 }),
        array(integer({ min: 0, max: 1_000 }), { minLength: 10, maxLength: 10 }),
        (levels, wishes) => {
          const total = 600
          const terms = new Map(
            levels.map(({ borrow, ...one }, at) => [`l${at}`, borrow > 100 ? one : { ...one, borrowingLimitPercent: borrow }]),
          )
          const ranges = shareSeats(terms, total)
          const demands = new Map([...terms.keys()].map((name, at) => [name, { high: wishes[at] as number, smooth: wishes[at] as number }]))
          const lent = lendSeats(ranges, demands, total)
          let sum = 0
          for (const [name, { lower, upper }] of ranges) {
            const seats = lent.get(name) as number
            sum += seats
            expect(seats).toBeGreaterThanOrEqual(Math.max(1, lower) - 1)
            expect(seats).toBeLessThanOrEqual(Math.max(1, upper) + 1)
          }
          // Rounding, and the one seat that even a level without shares has.
          expect(sum).toBeLessThanOrEqual(total + 2 * levels.length)
        },
      ),
    )
  })

  it('remember a burst for a while', () => {
    const burst = smoothDemand([0, 0, 100, 0], 0)
    expect(burst).toBeGreaterThan(60)
    expect(smoothDemand([0, 0, 0, 0], burst)).toBeGreaterThan(burst * 0.95)
  })
})

describe('capacity', () => {
  it('shrinks while turns of the loop are too long, keeps a seat for everybody, and grows back', () => {
    const capacity = new Capacity(25)
    for (let i = 0; i < 50; i++) capacity.observe(200, true)
    expect(capacity.ratio).toBeCloseTo(0.05)
    expect(capacity.of(10)).toBe(1)
    for (let i = 0; i < 50; i++) capacity.observe(1, true)
    expect(capacity.ratio).toBe(1)
  })

  it('does not blame seats for long turns in which few requests began', () => {
    const capacity = new Capacity(25)
    for (let i = 0; i < 50; i++) capacity.observe(200, false)
    expect(capacity.ratio).toBe(1)
  })
})

describe('widths of lists', () => {
  const path = { isResource: true, group: '', resource: 'pods', subresource: '', namespace: '' } as const
  it('follow the last list of the collection, within one and ten seats; a page costs what it returns', () => {
    const widths = new ListWidths()
    expect(widths.estimate(path, undefined)).toBe(1)
    widths.listed(path, 5_000)
    expect(widths.estimate(path, undefined)).toBe(10)
    expect(widths.estimate({ ...path, namespace: 'a' }, undefined)).toBe(1)
    expect(widths.estimate(path, new URLSearchParams('limit=250'))).toBe(3)
    expect(widths.estimate(path, new URLSearchParams('limit=250&labelSelector=a'))).toBe(10)
    widths.listed(path, 50)
    expect(widths.estimate(path, undefined)).toBe(1)
  })
})
