import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  type AnyPlugin,
  ClockCap,
  capability,
  createHost,
  DecisionLogCap,
  definePlugin,
  defineResource,
  eventType,
  HealthCap,
  type HostOptions,
  hook,
  memoryStore,
  ObjectClientCap,
  optional,
} from '../../src/index.ts'
import { apiPlugin, Greeter, MemoryApi, Widget, widget } from '../fakes/memory-api.ts'

const Other = capability<{ readonly n: number }>('other/v1')
const Many = capability<{ readonly n: number }, 'many'>('many/v1', { cardinality: 'many' })
const Moment = hook<{ seen: string[] }>('test/moment')
const Happened = eventType<number>('test/happened')

const greeter = (text = 'hi'): AnyPlugin =>
  definePlugin({ name: 'greeter', api: '^1', provides: [Greeter], setup: (ctx) => ctx.provide(Greeter, { hello: async () => text }) })

function make(plugins: Record<string, AnyPlugin>, options: Partial<HostOptions> = {}) {
  const clock = createVirtualClock()
  const host = createHost({
    name: 'test',
    role: 'control-plane',
    clock,
    random: createSeededRandom(),
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
    ...options,
  })
  return { clock, host }
}

it('sets up providers before consumers, starts group by group and stops in reverse', async () => {
  const seen: string[] = []
  const plugin = (name: string, parts: Partial<AnyPlugin> = {}): AnyPlugin =>
    definePlugin({
      name,
      api: '^1',
      ...parts,
      setup(ctx) {
        seen.push(`setup ${name}`)
        for (const token of (parts.provides as never[]) ?? []) ctx.provide(token, {} as never)
        ctx.onStart('controllers', () => void seen.push(`controllers ${name}`))
        ctx.onStart('stores', () => void seen.push(`stores ${name}`))
        ctx.onStop(() => void seen.push(`stop ${name} 1`))
        ctx.onStop(() => void seen.push(`stop ${name} 2`))
      },
    })
  const { host } = make({ a: plugin('a', { requires: { other: Other } }), z: plugin('z', { provides: [Other] }) })
  await host.start()
  expect(host.ready).toBe(true)
  await host.stop()
  expect(seen).toEqual([
    'setup z',
    'setup a',
    'stores z',
    'stores a',
    'controllers z',
    'controllers a',
    'stop a 2',
    'stop a 1',
    'stop z 2',
    'stop z 1',
  ])
  expect([host.ready, host.status]).toEqual([false, 'stopped'])
})

it('adds kinds before others watch them and takes them away after those have ended, whatever the names of the slots', async () => {
  const seen: string[] = []
  const watcher = definePlugin({
    name: 'watcher',
    api: '^1',
    setup(ctx) {
      seen.push('set up')
      ctx.informer(Widget)
      ctx.onStop(() => void seen.push('stopped'))
    },
  })
  const kinds = definePlugin({
    name: 'kinds',
    api: '^1',
    kinds: [
      defineResource({
        group: Widget.group,
        plural: Widget.resource,
        kind: Widget.kind,
        namespaced: Widget.namespaced,
        storageVersion: Widget.version,
        versions: [{ name: Widget.version, schema: { type: 'object' } }],
      }),
    ],
    setup: (ctx) => {
      seen.push('kinds')
      ctx.onStop(() => void seen.push('kinds gone'))
    },
  })
  const { host } = make({ store: memoryStore, 'a-watcher': watcher, 'z-kinds': kinds })
  await host.start()
  await host.stop()
  expect(seen).toEqual(['kinds', 'set up', 'stopped', 'kinds gone'])
})

it('reports every fault at once and runs nothing', async () => {
  const ran: string[] = []
  const fault = (parts: Partial<AnyPlugin>): AnyPlugin => ({ name: 'p', api: '^1', setup: (ctx) => void ran.push(ctx.name), ...parts })
  const { host } = make({
    a: fault({ api: '^2' }),
    b: fault({ roles: ['node'] }),
    c: fault({ requires: { other: Other } }),
    d: fault({ provides: [Greeter] }),
    e: fault({ provides: [Greeter] }),
  })
  expect((await host.check()).map((problem) => [problem.code, problem.path])).toEqual([
    ['PLUGIN_API_RANGE', 'plugins.a'],
    ['PLUGIN_ROLE', 'plugins.b'],
    ['CAPABILITY_DUPLICATE', 'plugins.e'],
    ['CAPABILITY_MISSING', 'plugins.c'],
  ])
  await expect(host.start()).rejects.toMatchObject({ code: 'CHECK_FAILED', problems: { length: 4 } })
  expect([ran, host.status]).toEqual([[], 'failed'])
})

it('names the path of a circle', async () => {
  const { host } = make({
    a: definePlugin({ name: 'a', api: '^1', requires: { greeter: Greeter }, provides: [Other] }),
    b: definePlugin({ name: 'b', api: '^1', requires: { other: Other }, provides: [Greeter] }),
  })
  expect((await host.check()).map((problem) => problem.message)).toEqual([
    'plugins require each other in a circle: a → b (greeter/v1) → a (other/v1)',
  ])
})

it('gives optional and many capabilities, the latter as a live view', async () => {
  let many: Iterable<readonly [string, { readonly n: number }]> | undefined
  const seen: unknown[] = []
  const user = definePlugin({
    name: 'user',
    api: '^1',
    requires: { absent: optional(Other), many: Many },
    setup: (ctx) => {
      seen.push(ctx.use.absent, ctx.use.many.keys())
      many = ctx.use.many
    },
  })
  const one = (key: string, n: number) =>
    definePlugin({ name: key, api: '^1', provides: [Many], setup: (ctx) => ctx.provide(Many, { n }, key) })
  const { host } = make({ a: user, x: one('x', 1), y: one('y', 2) })
  await host.start()
  expect(seen).toEqual([undefined, ['x', 'y']])
  expect([...(many ?? [])]).toEqual([
    ['x', { n: 1 }],
    ['y', { n: 2 }],
  ])
  await host.stop()
})

it.each<[string, AnyPlugin, string]>([
  [
    'provides what it does not declare',
    definePlugin({ name: 'p', api: '^1', setup: (ctx) => ctx.provide(Other, { n: 1 }) }),
    'PLUGIN_UNDECLARED',
  ],
  ['declares what it does not provide', definePlugin({ name: 'p', api: '^1', provides: [Other] }), 'PLUGIN_UNPROVIDED'],
  [
    'taps what it does not declare',
    definePlugin({ name: 'p', api: '^1', taps: [], setup: (ctx) => ctx.tap(Moment, () => {}) }),
    'PLUGIN_UNDECLARED',
  ],
  ['uses a client that is not there', definePlugin({ name: 'p', api: '^1', setup: (ctx) => void ctx.client }), 'PLUGIN_NO_CLIENT'],
])('fails to start when a plugin %s', async (_what, plugin, code) => {
  const { host } = make({ p: plugin })
  const error = await host.start().catch((failure: unknown) => failure)
  expect((error as { cause?: { code: string } }).cause ?? error).toMatchObject({ code })
  expect(host.status).toBe('failed')
})

it('walks the stop path when a plugin fails to start', async () => {
  const seen: string[] = []
  const { host, clock } = make({
    a: definePlugin({
      name: 'a',
      api: '^1',
      setup(ctx) {
        ctx.every(10, () => {})
        ctx.onStop(() => void seen.push('stop a'))
      },
    }),
    b: definePlugin({
      name: 'b',
      api: '^1',
      setup: (ctx) =>
        ctx.onStart('servers', () => {
          throw new Error('port 80 is in use')
        }),
    }),
  })
  await expect(host.start()).rejects.toThrow('plugin b failed to start (servers): port 80 is in use')
  expect(seen).toEqual(['stop a'])
  expect([clock.pending, host.resources().scopes]).toEqual([0, 0])
})

it('stops everything although steps fail or hang, then throws one AggregateError', async () => {
  const seen: string[] = []
  const { host, clock } = make({
    a: definePlugin({ name: 'a', api: '^1', setup: (ctx) => ctx.onStop(() => Promise.reject(new Error('broken'))) }),
    b: definePlugin({ name: 'b', api: '^1', setup: (ctx) => ctx.onStop(() => new Promise(() => {})) }),
    c: definePlugin({ name: 'c', api: '^1', setup: (ctx) => ctx.onStop(() => void seen.push('c')) }),
  })
  await host.start()
  const stopped = host.stop().catch((error: unknown) => error)
  await clock.advance(10_000)
  const error = (await stopped) as AggregateError
  expect(error.errors.map((one: Error) => one.message)).toEqual([
    expect.stringContaining('b took longer than 10000 ms'),
    expect.stringContaining('broken'),
  ])
  expect(seen).toEqual(['c'])
})

it('stops while a plugin is still starting', async () => {
  const { host, clock } = make({
    a: definePlugin({
      name: 'a',
      api: '^1',
      setup: (ctx) => ctx.onStart('stores', (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))),
    }),
  })
  const started = host.start().catch((error: unknown) => error)
  await clock.settle()
  await host.stop()
  expect(await started).toMatchObject({ code: 'HOST_STATE' })
})

it('gives a plugin that does not heed its signal the time of a stop step to end its start', async () => {
  const { host, clock } = make({
    a: definePlugin({ name: 'a', api: '^1', setup: (ctx) => ctx.onStart('stores', () => new Promise(() => {})) }),
  })
  const started = host.start().catch((error: unknown) => error)
  await clock.settle()
  const stopped = host.stop()
  await clock.advanceUntil(() => host.status === 'failed')
  await stopped
  expect(clock.monotonic()).toBeLessThanOrEqual(10_000)
  expect(await started).toMatchObject({ code: 'HOST_STATE' })
})

it('ends what a setup makes that was given up on, before the stop resolves', async () => {
  const open: string[] = []
  let opened = (): void => {}
  const { host, clock } = make({
    store: definePlugin({
      name: 'store',
      api: '^1',
      async setup(ctx) {
        await new Promise<void>((resolve) => {
          opened = resolve
        })
        open.push('file')
        ctx.onStop(() => void open.pop())
        open.push('never reached')
      },
    }),
  })
  const started = host.start().catch((error: unknown) => error)
  await clock.settle()
  const stopped = host.stop()
  await clock.settle()
  opened()
  await stopped
  expect(open).toEqual([])
  expect(await started).toMatchObject({ code: 'HOST_STATE' })
})

it('ends timers, sleeps, taps, listeners and informers with their plugin', async () => {
  const api = new MemoryApi()
  const { host, clock } = make(
    {
      api: apiPlugin(api),
      p: definePlugin({
        name: 'p',
        api: '^1',
        requires: { clock: ClockCap },
        setup(ctx) {
          ctx.every(10, () => {})
          ctx.after(1_000_000, () => {})
          void ctx.clock.sleep(1_000_000).catch(() => {})
          ctx.use.clock.after(1_000_000, () => {})
          ctx.tap(Moment, () => {})
          ctx.on(Happened, () => {})
          ctx.informer(Widget)
        },
      }),
    },
    { leaderElection: false },
  )
  await host.start()
  await clock.advance(100)
  expect(host.resources()).toMatchObject({ taps: 1, listeners: 1, informers: 1 })
  await host.stop()
  await clock.settle()
  expect(host.resources()).toEqual({ scopes: 0, taps: 0, listeners: 0, informers: 0 })
  expect([clock.pending, api.streams.size]).toEqual([0, 0])
})

it('aggregates health, and is ready only between start and stop', async () => {
  let broken = false
  const { host, clock } = make({
    p: definePlugin({
      name: 'p',
      api: '^1',
      requires: { health: HealthCap },
      setup(ctx) {
        ctx.health({
          name: 'disk',
          check: () => {
            if (broken) throw new Error('disk is full')
          },
        })
        ctx.health({ name: 'slow', check: () => (broken ? new Promise(() => {}) : undefined) })
      },
    }),
  })
  expect((await host.health())[0]).toEqual({ name: 'started', ok: false, readinessOnly: true, reason: 'host test is created' })
  await host.start()
  expect((await host.health()).every((result) => result.ok)).toBe(true)
  broken = true
  const results = host.use(HealthCap).check()
  await clock.advance(1_000)
  expect((await results).filter((result) => !result.ok)).toEqual([
    { name: 'p/disk', ok: false, readinessOnly: false, reason: 'disk is full' },
    { name: 'p/slow', ok: false, readinessOnly: false, reason: 'check p/slow took longer than 1000 ms' },
  ])
  await host.stop()
})

it('records decisions under the name of the slot', async () => {
  const { host } = make({
    p: definePlugin({
      name: 'plugin',
      api: '^1',
      setup: (ctx) => void ctx.decide({ object: { kind: 'Widget', namespace: 'x', name: 'a' }, code: 'TooBig', message: 'a is too big' }),
    }),
  })
  await host.start()
  expect(host.use(DecisionLogCap).about({ kind: 'Widget', namespace: 'x', name: 'a' })).toMatchObject([{ actor: 'p', code: 'TooBig' }])
  await host.stop()
})

it('restarts a leader task that throws and ends it with the host', async () => {
  let runs = 0
  const api = new MemoryApi()
  const { host, clock } = make(
    {
      api: apiPlugin(api),
      p: definePlugin({
        name: 'p',
        api: '^1',
        setup: (ctx) =>
          ctx.whileLeading('task', async ({ signal }) => {
            runs += 1
            if (runs < 3) throw new Error('not yet')
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
          }),
      }),
    },
    { leaderElection: false },
  )
  await host.start()
  await clock.advance(10_000)
  expect(runs).toBe(3)
  await host.stop()
  expect(clock.pending).toBe(0)
})

it('runs controllers only on the leader of several hosts', async () => {
  const api = new MemoryApi()
  const clock = createVirtualClock()
  const seen: string[] = []
  const hosts = ['one', 'two'].map((name) =>
    createHost({
      name,
      role: 'control-plane',
      clock,
      random: createSeededRandom(name.length),
      leaderElection: { identity: name },
      plugins: [
        { slot: 'api', plugin: apiPlugin(api) },
        {
          slot: 'widgets',
          plugin: definePlugin({
            name: 'w',
            api: '^1',
            setup: (ctx) => ctx.controller({ name: 'w', for: Widget, reconcile: async (key) => void seen.push(`${name} ${key.name}`) }),
          }),
        },
      ],
    }),
  )
  for (const host of hosts) await host.start()
  await clock.settle()
  api.put('widgets', widget('a'))
  await clock.settle()
  expect(hosts.map((host) => host.leading)).toEqual([true, false])
  expect(seen).toEqual(['one a'])
  await hosts[0]?.stop()
  await clock.advance(5_000)
  expect(hosts[1]?.leading).toBe(true)
  expect(seen).toEqual(['one a', 'two a'])
  await hosts[1]?.stop()
})

it('says which capability an embedder asks for in vain', async () => {
  const { host } = make({ g: greeter() })
  await host.start()
  expect(await host.use(Greeter).hello()).toBe('hi')
  expect(() => host.use(Other)).toThrowError(expect.objectContaining({ code: 'CAPABILITY_MISSING' }))
  expect(() => host.use(ObjectClientCap)).toThrowError(expect.objectContaining({ code: 'CAPABILITY_MISSING' }))
  await host.stop()
})
