import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  type AnyPlugin,
  capability,
  createHost,
  createMemoryStore,
  definePlugin,
  hook,
  ObjectClientCap,
  StoreCap,
} from '../../src/index.ts'
import { apiPlugin, Greeter, MemoryApi, Widget, widget } from '../fakes/memory-api.ts'

const Plain = capability<{ readonly text: string }>('plain/v1')
const Moment = hook<object>('test/moment')

const greeter = (text: string, log: string[] = []): AnyPlugin =>
  definePlugin({
    name: `greeter-${text}`,
    api: '^1',
    provides: [Greeter],
    setup(ctx) {
      log.push(`setup ${text}`)
      ctx.every(50, () => {})
      ctx.tap(Moment, () => {})
      ctx.provide(Greeter, { hello: async () => text })
      ctx.onStop(() => void log.push(`stop ${text}`))
    },
  })

const consumer = (log: string[]): AnyPlugin =>
  definePlugin({
    name: 'consumer',
    api: '^1',
    requires: { greeter: Greeter },
    provides: [Plain],
    async setup(ctx) {
      const text = await ctx.use.greeter.hello()
      log.push(`setup consumer on ${text}`)
      ctx.every(50, () => {})
      ctx.provide(Plain, { text })
      ctx.onStop(() => void log.push('stop consumer'))
    },
  })

function make(plugins: Record<string, AnyPlugin>) {
  const clock = createVirtualClock()
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    clock,
    random: createSeededRandom(),
    leaderElection: false,
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  return { clock, host }
}

it('restarts the provider and its transitive dependents, nothing else, and keeps handles valid', async () => {
  const log: string[] = []
  const last = definePlugin({
    name: 'last',
    api: '^1',
    requires: { plain: Plain },
    setup: (ctx) => void log.push(`setup last on ${ctx.use.plain.text}`),
  })
  const bystander = definePlugin({ name: 'bystander', api: '^1', setup: (ctx) => ctx.onStop(() => void log.push('stop bystander')) })
  const { host } = make({ greeter: greeter('one', log), consumer: consumer(log), last, bystander })
  await host.start()
  const handle = host.use(Greeter)
  expect(await handle.hello()).toBe('one')
  log.length = 0
  await host.swap('greeter', greeter('two', log))
  expect(log).toEqual(['stop consumer', 'stop one', 'setup two', 'setup consumer on two', 'setup last on two'])
  expect(host.use(Greeter)).toBe(handle)
  expect(await handle.hello()).toBe('two')
  expect(host.ready).toBe(true)
  await host.stop()
})

it('leaks nothing over twenty swaps', async () => {
  const { host, clock } = make({ greeter: greeter('0'), consumer: consumer([]) })
  await host.start()
  await clock.advance(200)
  const before = { ...host.resources(), pending: clock.pending }
  for (let at = 1; at <= 20; at += 1) {
    await host.swap('greeter', greeter(String(at)))
    await clock.advance(200)
  }
  expect({ ...host.resources(), pending: clock.pending }).toEqual(before)
  await host.stop()
  expect(clock.pending).toBe(0)
})

it('lets calls in flight finish on the old provider, and later ones wait for the new one', async () => {
  let finish = (): void => {}
  const slow = definePlugin({
    name: 'slow',
    api: '^1',
    provides: [Greeter],
    setup: (ctx) => ctx.provide(Greeter, { hello: () => new Promise((resolve) => (finish = () => resolve('old'))) }),
  })
  const { host, clock } = make({ greeter: slow })
  await host.start()
  const handle = host.use(Greeter)
  const first = handle.hello()
  const swapped = host.swap('greeter', greeter('new'))
  await clock.settle()
  const second = handle.hello()
  let done = false
  void swapped.then(() => (done = true))
  await clock.settle()
  expect(done).toBe(false)
  finish()
  expect(await Promise.all([first, second])).toEqual(['old', 'new'])
  await swapped
  await host.stop()
})

it('refuses a faulty replacement before anything stops', async () => {
  const log: string[] = []
  const { host } = make({ greeter: greeter('one', log), consumer: consumer(log) })
  await host.start()
  log.length = 0
  await expect(host.swap('greeter', definePlugin({ name: 'none', api: '^1' }))).rejects.toMatchObject({ code: 'CHECK_FAILED' })
  await expect(host.swap('nowhere', greeter('x'))).rejects.toMatchObject({ code: 'SLOT_UNKNOWN' })
  expect(log).toEqual([])
  await host.stop()
})

it('goes back to the old plugin when the new one does not start', async () => {
  const log: string[] = []
  const { host, clock } = make({ greeter: greeter('one', log), consumer: consumer(log) })
  await host.start()
  const before = host.resources()
  const broken = definePlugin({
    name: 'broken',
    api: '^1',
    provides: [Greeter],
    setup: () => {
      throw new Error('no socket')
    },
  })
  await expect(host.swap('greeter', broken)).rejects.toThrow('keeps its old plugin, because the new one failed')
  expect(await host.use(Greeter).hello()).toBe('one')
  expect([host.ready, host.use(Plain).text, host.resources()]).toEqual([true, 'one', before])
  await host.stop()
  expect(clock.pending).toBe(0)
})

it('keeps clients and informers of other plugins working when the object client is swapped', async () => {
  const [first, second] = [new MemoryApi(), new MemoryApi()]
  second.revision = 1_000
  second.put('widgets', widget('there'))
  const seen: string[] = []
  const user = definePlugin({
    name: 'user',
    api: '^1',
    setup(ctx) {
      const widgets = ctx.client.for(Widget)
      ctx.informer(Widget).on({ added: (object) => seen.push(object.metadata.name) })
      ctx.every(1_000, async () => void seen.push(`${(await widgets.list()).items.length}`))
    },
  })
  const { host, clock } = make({ api: apiPlugin(first), user })
  await host.start()
  await clock.advance(1_500)
  expect(seen).toEqual(['0'])
  await host.swap('api', apiPlugin(second))
  first.endWatches()
  await clock.advance(5_000)
  expect(seen).toContain('1')
  await host.stop()
  expect([clock.pending, first.streams.size, second.streams.size]).toEqual([0, 0, 0])
})

it('swaps the store under the object stack, which then serves the new one', async () => {
  const memory = () =>
    definePlugin({ name: 'memory', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, createMemoryStore()) })
  const { host } = make({ store: memory() })
  await host.start()
  const namespaces = host
    .use(ObjectClientCap)
    .for({ group: '', version: 'v1', kind: 'Namespace', resource: 'namespaces', namespaced: false })
  await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' } })
  expect((await namespaces.get('mine')).metadata.uid).toBeDefined()
  await host.swap('store', memory())
  await expect(namespaces.get('mine')).rejects.toMatchObject({ reason: 'NotFound' })
  expect((await namespaces.get('kube-system')).metadata.uid).toBeDefined()
  await host.stop()
})
