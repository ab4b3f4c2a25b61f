import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { createMetrics, noMetrics, WorkQueue } from '../../src/index.ts'

function setUp(options: Partial<ConstructorParameters<typeof WorkQueue>[0]> = {}) {
  const clock = createVirtualClock()
  return { clock, queue: new WorkQueue({ name: 'test', clock, metrics: noMetrics, ...options }) }
}

it('holds a key once however often it is added', async () => {
  const { queue } = setUp()
  queue.add('a')
  queue.add('b')
  queue.add('a')
  expect(queue.length).toBe(2)
  expect([await queue.take(), await queue.take()]).toEqual(['a', 'b'])
})

it('gives a key that was added while it was worked on again, but only once it is done', async () => {
  const { clock, queue } = setUp()
  queue.add('a')
  await queue.take()
  queue.add('a')
  queue.add('a')
  const taken: (string | undefined)[] = []
  void queue.take().then((key) => taken.push(key))
  await clock.settle()
  expect(taken).toEqual([])
  queue.done('a')
  await clock.settle()
  expect(taken).toEqual(['a'])
  expect(queue.length).toBe(0)
})

it('retries a key after 5 ms, doubling to 1,000 s, until it is forgotten', async () => {
  const { clock, queue } = setUp({ perSecond: 1_000_000, burst: 1_000_000 })
  const waits: number[] = []
  for (let at = 0; at < 20; at += 1) {
    const begun = clock.monotonic()
    queue.retry('a')
    await clock.advanceUntil(() => queue.length === 1)
    waits.push(clock.monotonic() - begun)
    await queue.take()
    queue.done('a')
  }
  expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80])
  expect(waits.slice(-2)).toEqual([1_000_000, 1_000_000])
  expect(queue.failures('a')).toBe(20)
  queue.forget('a')
  expect(queue.failures('a')).toBe(0)
})

it('spreads retries of many keys with a token bucket', async () => {
  const { clock, queue } = setUp({ perSecond: 10, burst: 100 })
  for (let at = 0; at < 150; at += 1) queue.retry(`key-${at}`)
  await clock.advance(100)
  expect(queue.length).toBe(101)
  await clock.advance(2_000)
  expect(queue.length).toBe(121)
  await clock.advance(5_000)
  expect(queue.length).toBe(150)
})

it('adds a delayed key at the earliest of its times, with one timer for all', async () => {
  const { clock, queue } = setUp()
  queue.addAfter('a', 100)
  queue.addAfter('a', 50)
  queue.addAfter('a', 200)
  for (let at = 0; at < 100; at += 1) queue.addAfter(`b${at}`, 300 + at)
  expect(clock.pending).toBe(1)
  await clock.advance(49)
  expect(queue.length).toBe(0)
  await clock.advance(1)
  expect(queue.length).toBe(1)
  await clock.advance(1_000)
  expect(queue.length).toBe(101)
})

it('refuses keys beyond its bound and says so once', () => {
  const { queue } = setUp({ maxKeys: 2 })
  expect([queue.add('a'), queue.add('b'), queue.add('c'), queue.add('a')]).toEqual([true, true, false, true])
  expect([queue.takeOverflow(), queue.takeOverflow()]).toEqual([true, false])
})

it('ends all takers when closed and leaves no timer', async () => {
  const { clock, queue } = setUp()
  const taken = queue.take()
  queue.addAfter('a', 100)
  queue.close()
  expect(await taken).toBeUndefined()
  expect(await queue.take()).toBeUndefined()
  expect(queue.add('b')).toBe(false)
  expect(clock.pending).toBe(0)
})

it('counts what it does', async () => {
  const metrics = createMetrics()
  const { clock, queue } = setUp({ metrics })
  queue.add('a')
  queue.add('b')
  await queue.take()
  await clock.advance(2_000)
  queue.done('a')
  const text = await metrics.expose()
  expect(text).toContain('workqueue_depth{name="test"} 1')
  expect(text).toContain('workqueue_adds_total{name="test"} 2')
  expect(text).toContain('workqueue_work_duration_seconds_sum{name="test"} 2')
  expect(text).toContain('workqueue_work_duration_seconds_bucket{name="test",le="1"} 0')
})
