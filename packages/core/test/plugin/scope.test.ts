import { createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import { silentLog } from '../../src/index.ts'
import { PluginScope } from '../../src/plugin/scope.ts'
import { createRecordingLog } from '../fakes/recording-log.ts'

const setUp = (log = silentLog) => {
  const clock = createVirtualClock()
  return { clock, scope: new PluginScope({ name: 'p', clock, log, stopTimeoutMs: 1_000 }) }
}

it('aborts its signal first, then runs its steps in reverse', async () => {
  const { scope } = setUp()
  const seen: string[] = []
  scope.signal.addEventListener('abort', () => seen.push('abort'))
  scope.defer('a', () => void seen.push('a'))
  const take = scope.defer('never', () => void seen.push('never'))
  scope.defer('b', () => void seen.push('b'))
  take()
  expect(await scope.close()).toEqual([])
  await scope.close()
  expect(seen).toEqual(['abort', 'b', 'a'])
})

it('ends timers and rejects sleeps, and makes no new ones', async () => {
  const { clock, scope } = setUp()
  let fired = 0
  scope.every(10, () => {
    fired += 1
  })
  const slept = scope.clock.sleep(100_000)
  await clock.advance(35)
  expect(fired).toBe(3)
  const rejected = expect(slept).rejects.toMatchObject({ code: 'PLUGIN_STOPPED' })
  await scope.close()
  await rejected
  await clock.advance(1_000)
  expect([fired, clock.pending, scope.size]).toEqual([3, 0, 0])
  expect(() => scope.after(1, () => {})).toThrowError(expect.objectContaining({ code: 'PLUGIN_STOPPED' }))
})

it('does not overlap the turns of a periodic timer and logs one that throws', async () => {
  const log = createRecordingLog()
  const { clock, scope } = setUp(log)
  const begins: number[] = []
  scope.every(10, async () => {
    begins.push(clock.monotonic())
    await clock.sleep(25)
    if (begins.length === 1) throw new Error('first turn')
  })
  await clock.advance(100)
  expect(begins).toEqual([10, 45, 80])
  expect(log.entries.map((entry) => entry.message)).toEqual(['timer callback failed'])
  await scope.close()
})
