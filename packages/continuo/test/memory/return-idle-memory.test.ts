import { createVirtualClock } from '@continuo/testkit'
import { describe, expect, it } from 'vitest'
import { returnIdleMemory } from '../../src/memory/return-idle-memory.ts'

const world = () => {
  const state = { busy: 0, heap: 0, collected: 0 }
  const clock = createVirtualClock()
  const stop = returnIdleMemory({ clock, busyShare: () => state.busy, heapBytes: () => state.heap, collect: () => state.collected++ })
  return { state, stop, pass: (ms: number) => clock.advance(ms) }
}

describe('returnIdleMemory', () => {
  it('collects once when the process rests after its start', async () => {
    const { state, pass } = world()
    state.busy = 0.1
    await pass(20_000)
    expect(state.collected).toBe(0)
    state.busy = 0.01
    await pass(60_000)
    expect(state.collected).toBe(1)
  })

  it('collects again after a burst of work, and not before it is over', async () => {
    const { state, pass } = world()
    await pass(10_000)
    state.busy = 0.5
    await pass(30_000)
    expect(state.collected).toBe(1)
    state.busy = 0
    await pass(30_000)
    expect(state.collected).toBe(2)
  })

  it('leaves a large heap alone, whose collection clients would notice', async () => {
    const { state, pass } = world()
    state.heap = 1 << 30
    await pass(60_000)
    expect(state.collected).toBe(0)
  })

  it('does nothing once it was ended', async () => {
    const { state, stop, pass } = world()
    stop()
    await pass(60_000)
    expect(state.collected).toBe(0)
  })

  it("shrinks V8's young generation", async () => {
    const clock = createVirtualClock()
    const garbage = Array.from({ length: 200_000 }, (_, at) => ({ at }))
    const before = process.memoryUsage().heapTotal
    garbage.length = 0
    returnIdleMemory({ clock, busyShare: () => 0 })
    await clock.advance(5_000)
    expect(process.memoryUsage().heapTotal).toBeLessThan(before)
  })
})
