import { expect, it } from 'vitest'
import { ApiError, createEvents, createHooks, eventType, hook, hookOrigin } from '../../src/index.ts'
import { createRecordingLog } from '../fakes/recording-log.ts'

const Moment = hook<{ seen: string[] }>('test/moment')
const Happened = eventType<number>('test/happened')

const tapper = (hooks: ReturnType<typeof createHooks>) => (plugin: string, stage?: 'pre' | 'main' | 'post') =>
  hooks.tap(Moment, plugin, async (argument) => void argument.seen.push(plugin), stage === undefined ? undefined : { stage })

it('calls taps one after the other: pre, main, post, and within a stage by slot', async () => {
  const hooks = createHooks()
  const tap = tapper(hooks)
  tap('z')
  tap('post', 'post')
  tap('a')
  tap('pre', 'pre')
  expect((await hooks.call(Moment, { seen: [] })).seen).toEqual(['pre', 'a', 'z', 'post'])
  expect(hooks.describe()).toEqual([
    {
      hook: 'test/moment',
      taps: [
        { plugin: 'pre', stage: 'pre' },
        { plugin: 'a', stage: 'main' },
        { plugin: 'z', stage: 'main' },
        { plugin: 'post', stage: 'post' },
      ],
    },
  ])
})

it('awaits each tap before the next', async () => {
  const hooks = createHooks()
  hooks.tap(Moment, 'a', async (argument) => {
    await new Promise((resolve) => setImmediate(resolve))
    argument.seen.push('a')
  })
  tapper(hooks)('b')
  expect((await hooks.call(Moment, { seen: [] })).seen).toEqual(['a', 'b'])
})

it('takes a tap away again, even from a call that is under way', async () => {
  const hooks = createHooks()
  expect(hooks.isIdle(Moment)).toBe(true)
  let remove = (): void => {}
  hooks.tap(Moment, 'a', () => remove())
  remove = tapper(hooks)('b')
  expect(hooks.isIdle(Moment)).toBe(false)
  expect((await hooks.call(Moment, { seen: [] })).seen).toEqual([])
  expect(hooks.describe()[0]?.taps).toHaveLength(1)
})

it('ends the call with an error that names plugin and hook', async () => {
  const hooks = createHooks()
  const cause = new Error('no')
  hooks.tap(Moment, 'a', () => Promise.reject(cause))
  tapper(hooks)('b')
  const argument = { seen: [] }
  const error = await hooks.call(Moment, argument).catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: 'HOOK_TAP_FAILED', message: 'plugin a failed in hook test/moment: no', cause })
  expect(hookOrigin(error)).toEqual({ plugin: 'a', hook: 'test/moment' })
  expect(argument.seen).toEqual([])
})

it('lets an answer to a client pass as it is and still names its origin', async () => {
  const hooks = createHooks()
  const refusal = new ApiError('Forbidden', 'denied')
  hooks.tap(Moment, 'policy', () => {
    throw refusal
  })
  const error = await hooks.call(Moment, { seen: [] }).catch((failure: unknown) => failure)
  expect(error).toBe(refusal)
  expect(hookOrigin(error)).toEqual({ plugin: 'policy', hook: 'test/moment' })
})

it('logs a listener that throws or rejects, and the others still run', async () => {
  const log = createRecordingLog()
  const events = createEvents(log)
  const seen: number[] = []
  events.on(Happened, 'a', () => {
    throw new Error('sync')
  })
  events.on(Happened, 'b', async () => {
    throw new Error('async')
  })
  const off = events.on(Happened, 'c', (value) => void seen.push(value))
  events.emit(Happened, 7)
  await new Promise((resolve) => setImmediate(resolve))
  off()
  events.emit(Happened, 8)
  expect(seen).toEqual([7])
  expect(log.entries.slice(0, 2).map((entry) => [entry.plugin, (entry.err as Error).message])).toEqual(
    [
      ['a', 'sync'],
      ['b', 'async'],
    ].sort(),
  )
  expect(events.listenerCount()).toBe(2)
})
