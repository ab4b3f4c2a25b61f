import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  ApiError,
  type ControllerSpec,
  createHost,
  definePlugin,
  formatKey,
  type KubeObject,
  type PluginContext,
  TerminalError,
  watches,
} from '../../src/index.ts'
import { apiPlugin, MemoryApi, Part, Widget, widget } from '../fakes/memory-api.ts'
import { createRecordingLog } from '../fakes/recording-log.ts'

const owned = (name: string, owner: KubeObject): KubeObject => ({
  apiVersion: 'demo.io/v1',
  kind: 'Part',
  metadata: {
    name,
    namespace: 'default',
    ownerReferences: [
      { apiVersion: 'demo.io/v1', kind: 'Widget', name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true },
    ],
  },
})

/** A host with one controller on a fake API, on virtual time. */
async function run(
  spec: Partial<ControllerSpec<Widget>> & Pick<ControllerSpec<Widget>, 'reconcile'>,
  seed: (api: MemoryApi) => void = () => {},
) {
  const api = new MemoryApi()
  seed(api)
  const clock = createVirtualClock()
  const log = createRecordingLog()
  const plugin = definePlugin({
    name: 'widgets',
    api: '^1',
    setup: (ctx: PluginContext) => ctx.controller({ name: 'widgets', for: Widget, ...spec }),
  })
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    leaderElection: false,
    clock,
    log,
    random: createSeededRandom(),
    plugins: [
      { slot: 'api', plugin: apiPlugin(api) },
      { slot: 'widgets', plugin },
    ],
  })
  await host.start()
  return { api, clock, log, host }
}

it('reconciles every object once at the beginning and each one that changes', async () => {
  const keys: string[] = []
  const { api, clock, host } = await run({ reconcile: async (key) => void keys.push(formatKey(key)) }, (api) => {
    api.put('widgets', widget('a'))
    api.put('widgets', widget('b'))
  })
  await clock.settle()
  expect(keys.sort()).toEqual(['default/a', 'default/b'])
  keys.length = 0
  api.put('widgets', widget('b', { size: 2 }))
  api.remove('widgets', 'default/a')
  await clock.settle()
  expect(keys.sort()).toEqual(['default/a', 'default/b'])
  await host.stop()
})

it('reconciles owners of what it owns and what its watches map to', async () => {
  const keys: string[] = []
  const { api, clock, host } = await run({
    owns: [Part],
    watches: [
      watches(Part, (part) => (part.metadata.labels?.for === undefined ? [] : [{ namespace: 'default', name: part.metadata.labels.for }])),
    ],
    reconcile: async (key) => void keys.push(key.name),
  })
  const owner = api.put('widgets', widget('a'))
  await clock.settle()
  keys.length = 0
  api.put('parts', owned('p', owner))
  await clock.settle()
  expect(keys).toEqual(['a'])
  api.put('parts', { apiVersion: 'demo.io/v1', kind: 'Part', metadata: { name: 'q', namespace: 'default', labels: { for: 'z' } } })
  await clock.settle()
  expect(keys).toEqual(['a', 'z'])
  await host.stop()
})

it('retries what throws with growing delays and starts over after a success', async () => {
  const attempts: [number, number][] = []
  let clockNow = () => 0
  const { api, clock, host } = await run({
    reconcile: async (_key, ctx) => {
      attempts.push([ctx.attempt, clockNow()])
      if (attempts.length < 4) throw new ApiError('ServiceUnavailable', 'away')
    },
  })
  clockNow = () => clock.monotonic()
  api.put('widgets', widget('a'))
  await clock.advance(1_000)
  expect(attempts).toEqual([
    [0, 0],
    [1, 5],
    [2, 15],
    [3, 35],
  ])
  api.put('widgets', widget('a', { size: 1 }))
  await clock.settle()
  expect(attempts.at(-1)?.[0]).toBe(0)
  await host.stop()
})

it('tells a refusal in its words, again only as the tries double, and a fault with its stack each time', async () => {
  const refused = await run({
    reconcile: async () => {
      throw new ApiError('Forbidden', 'no room')
    },
  })
  refused.api.put('widgets', widget('a'))
  await refused.clock.advance(5 * (2 ** 9 - 1))
  const told = refused.log.entries.filter((entry) => entry.level === 'warn')
  expect(told.map((entry) => entry.attempt)).toEqual([1, 2, 4, 8])
  expect(told[0]).toMatchObject({ reason: 'Forbidden', error: 'no room', key: 'default/a' })
  expect(told.every((entry) => entry.err === undefined)).toBe(true)
  await refused.host.stop()
  const broken = await run({
    reconcile: async () => {
      throw new RangeError('a fault')
    },
  })
  broken.api.put('widgets', widget('a'))
  await broken.clock.advance(16)
  expect(broken.log.entries.filter((entry) => entry.level === 'warn').map((entry) => entry.err)).toEqual(
    Array(3).fill(expect.any(RangeError)),
  )
  await broken.host.stop()
})

it('reports a terminal error and does not retry it until the object changes', async () => {
  let count = 0
  const { api, clock, log, host } = await run({
    reconcile: async () => {
      count += 1
      throw new TerminalError('size must be even')
    },
  })
  api.put('widgets', widget('a', { size: 1 }))
  await clock.advance(100_000)
  expect(count).toBe(1)
  expect(log.entries.filter((entry) => entry.level === 'error')).toMatchObject([
    { message: 'reconcile failed for good', key: 'default/a', plugin: 'widgets' },
  ])
  api.put('widgets', widget('a', { size: 3 }))
  await clock.settle()
  expect(count).toBe(2)
  await host.stop()
})

it('looks again after requeueAfterMs', async () => {
  const times: number[] = []
  let now = () => 0
  const { api, clock, host } = await run({
    reconcile: async () => {
      times.push(now())
      return { requeueAfterMs: 1_000 }
    },
  })
  now = () => clock.monotonic()
  api.put('widgets', widget('a'))
  await clock.advance(2_500)
  expect(times).toEqual([0, 1_000, 2_000])
  await host.stop()
})

it('never reconciles one key twice at the same time, and others beside it up to its concurrency', async () => {
  const running = new Map<string, number>()
  let most = 0
  const { api, clock, host } = await run({
    concurrency: 3,
    reconcile: async (key, ctx) => {
      const now = (running.get(key.name) ?? 0) + 1
      expect(now).toBe(1)
      running.set(key.name, now)
      most = Math.max(most, running.size)
      await clock.sleep(10, ctx.signal)
      running.delete(key.name)
    },
  })
  for (let at = 0; at < 10; at += 1) api.put('widgets', widget(`w${at}`))
  await clock.advance(5)
  for (let at = 0; at < 10; at += 1) api.put('widgets', widget(`w${at}`, { size: 1 }))
  await clock.advance(1_000)
  expect(most).toBe(3)
  expect(running.size).toBe(0)
  await host.stop()
})

it('writes under the name of its slot', async () => {
  const { api, clock, host } = await run({
    reconcile: async (key, ctx) => {
      const widgets = ctx.client.for(Widget)
      const found = await widgets.get(key)
      if (found.status === undefined) await widgets.updateStatus({ ...found, status: { size: 1 } })
    },
  })
  api.put('widgets', widget('a'))
  await clock.settle()
  expect(api.writes).toEqual([{ fieldManager: 'widgets', key: 'default/a', op: 'update' }])
  await host.stop()
})

it('waits for a reconcile that is under way when it stops, and tells it by its signal', async () => {
  const seen: string[] = []
  const { api, clock, host } = await run({
    reconcile: async (_key, ctx) => {
      seen.push('begin')
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      seen.push('end')
    },
  })
  api.put('widgets', widget('a'))
  await clock.settle()
  await host.stop()
  expect(seen).toEqual(['begin', 'end'])
  expect(clock.pending).toBe(0)
})
