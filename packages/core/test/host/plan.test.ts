import { expect, it } from 'vitest'
import { capability, createHost, definePlugin, formatPlan, hook, LogCap, optional, planToMermaid } from '../../src/index.ts'
import { Greeter } from '../fakes/memory-api.ts'

const Moment = hook<object>('test/moment')
const Nobody = capability<object>('nobody/v1')

const host = () =>
  createHost({
    name: 'demo',
    role: 'control-plane',
    plugins: [
      {
        slot: 'user',
        plugin: definePlugin({
          name: 'consumer',
          api: '^1',
          requires: { greeter: Greeter, log: LogCap, nobody: optional(Nobody) },
          taps: [Moment],
          setup: (ctx) => ctx.tap(Moment, () => {}, { stage: 'post' }),
        }),
      },
      {
        slot: 'greeter',
        plugin: definePlugin({
          name: 'greeter',
          api: '^1',
          provides: [Greeter],
          setup: (ctx) => ctx.provide(Greeter, { hello: async () => '' }),
        }),
      },
    ],
  })

it('is data: plugins in setup order, who needs whom, declared taps', async () => {
  expect(await host().plan()).toEqual({
    host: 'demo',
    role: 'control-plane',
    plugins: [
      {
        slot: 'greeter',
        plugin: 'greeter',
        requires: [],
        provides: [{ id: 'greeter/v1', cardinality: 'one', swappable: true }],
        kinds: [],
        taps: [],
      },
      {
        slot: 'user',
        plugin: 'consumer',
        requires: [
          { id: 'greeter/v1', cardinality: 'one', from: ['greeter'] },
          { id: 'log/v1', cardinality: 'one', from: ['host'] },
          { id: 'nobody/v1', cardinality: 'optional', from: [] },
        ],
        provides: [],
        kinds: [],
        taps: ['test/moment'],
      },
    ],
    hooks: [{ hook: 'test/moment', taps: [{ slot: 'user' }] }],
  })
})

it('shows the taps of a running host with their stages', async () => {
  const running = host()
  await running.start()
  expect((await running.plan()).hooks).toEqual([{ hook: 'test/moment', taps: [{ slot: 'user', stage: 'post' }] }])
  await running.stop()
})

it('reads as text and as Mermaid', async () => {
  const plan = await host().plan()
  expect(formatPlan(plan)).toBe(`host demo (control-plane), 2 plugins in order of setup

greeter  (greeter)
  provides  greeter/v1 (swappable)

user  (consumer)
  needs     greeter/v1 from greeter
  needs     log/v1 from host
  needs     nobody/v1 (optional) from nobody

hooks
  test/moment: user
`)
  expect(planToMermaid(plan)).toBe(`flowchart LR
  p0["greeter"]
  p1["user: consumer"]
  host([host])
  p1 -->|"greeter/v1"| p0
  p1 -->|"log/v1"| host
  h0{{"test/moment"}}
  p1 -.-> h0
`)
})
