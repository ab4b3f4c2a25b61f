import { expect, it } from 'vitest'
import { createVirtualClock } from '../../src/clock/virtual-clock.ts'

it('stands still until it is moved', async () => {
  const clock = createVirtualClock({ now: 1_000 })
  await clock.settle()
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
  await clock.advance(250)
  expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
})

it('fires timers in the order of their times and of their making', async () => {
  const clock = createVirtualClock()
  const fired: string[] = []
  clock.after(20, () => fired.push(`b@${clock.monotonic()}`))
  clock.after(10, () => fired.push(`a@${clock.monotonic()}`))
  clock.after(20, () => fired.push(`c@${clock.monotonic()}`))
  await clock.advance(30)
  expect(fired).toEqual(['a@10', 'b@20', 'c@20'])
})

it('fires timers that a timer sets within the same advance', async () => {
  const clock = createVirtualClock()
  const fired: number[] = []
  clock.after(10, () => void clock.sleep(5).then(() => fired.push(clock.monotonic())))
  await clock.advance(15)
  expect(fired).toEqual([15])
})

it('forgets a cancelled timer and rejects an aborted sleep with its reason', async () => {
  const clock = createVirtualClock()
  const abort = new AbortController()
  clock.after(1, () => expect.unreachable())()
  const slept = clock.sleep(10, abort.signal)
  abort.abort('enough')
  await expect(slept).rejects.toBe('enough')
  expect(clock.pending).toBe(0)
  await clock.advance(100)
})

it('advances until a condition holds and says when it never will', async () => {
  const clock = createVirtualClock()
  let count = 0
  const tick = (): void => {
    count += 1
    clock.after(100, tick)
  }
  tick()
  await clock.advanceUntil(() => count === 5)
  expect(clock.monotonic()).toBe(400)
  await expect(clock.advanceUntil(() => false, 1_000)).rejects.toThrow('after 1000 ms')
  await expect(createVirtualClock().advanceUntil(() => false)).rejects.toThrow('no timer is left')
})
