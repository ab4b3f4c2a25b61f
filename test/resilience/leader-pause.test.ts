import {
  createHost,
  createMemoryStore,
  definePlugin,
  type Host,
  Lease,
  type ObjectClient,
  ObjectClientCap,
  type Store,
  StoreCap,
} from '@continuo/core'
import * as controllers from '@continuo/plugin-controllers'
import { scheduler } from '@continuo/plugin-scheduler'
import { createSeededRandom, createVirtualClock, type VirtualClock } from '@continuo/testkit'
import { Deployment, Pod, ReplicaSet, workloadKinds } from '@continuo/workload'
import { afterEach, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'

/** What one control plane tried to write to the store that it shares. */
interface Attempt {
  readonly keys: readonly string[]
  readonly committed: boolean
}

/** The store as one process sees it: every commit is recorded. */
function recorded(store: Store, attempts: Attempt[]): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'close') return async () => {}
      if (name !== 'commit') {
        const value = Reflect.get(target, name) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (transaction: Parameters<Store['commit']>[0]) => {
        const result = await target.commit(transaction)
        attempts.push({ keys: transaction.writes.map((write) => write.key), committed: result.committed })
        return result
      }
    },
  })
}

interface ControlPlane {
  readonly host: Host
  readonly clock: VirtualClock
  readonly client: ObjectClient
  readonly attempts: Attempt[]
}

const running: Host[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((host) => host.stop()))
})

/** A whole control plane, every controller and the scheduler included, on a clock of its own: one that stands still is a paused process. */
async function controlPlane(name: string, store: Store): Promise<ControlPlane> {
  const attempts: Attempt[] = []
  const clock = createVirtualClock({ now: Date.now() })
  const shared = definePlugin({
    name: 'shared',
    api: '^1',
    provides: [StoreCap],
    setup: (ctx) => ctx.provide(StoreCap, recorded(store, attempts)),
  })
  const plugins = { store: shared, kinds: workloadKinds, scheduler, ...controllers }
  const host = createHost({
    name,
    role: 'control-plane',
    clock,
    random: createSeededRandom(name.length),
    leaderElection: { identity: name },
    plugins: Object.entries(plugins).map(([slot, plugin]) => ({ slot, plugin })),
  })
  running.push(host)
  const started = host.start()
  await clock.advanceUntil(() => host.status !== 'starting')
  await started
  return { host, clock, client: host.use(ObjectClientCap), attempts }
}

const web = (replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'host' }] } },
  },
})

/** Everything but the election itself, which tries to renew, and what is written as the answer to a client. */
const written = (attempts: readonly Attempt[], committed: boolean): readonly string[] =>
  attempts.filter((attempt) => attempt.committed === committed).flatMap((attempt) => attempt.keys.filter((key) => !key.includes('leases')))

it('a control plane paused past its lease writes nothing more, whatever its controllers still try', async () => {
  const store = createMemoryStore()
  const paused = await controlPlane('paused', store)
  await paused.clock.advanceUntil(() => paused.host.leading)
  await paused.client.for(Deployment).create(web(2))
  await eventually(async () => {
    await paused.clock.advance(100)
    expect((await paused.client.for(Pod).list()).items).toHaveLength(2)
  })
  const other = await controlPlane('other', store)
  await other.clock.advance(5_000)
  expect([paused.host.leading, other.host.leading]).toEqual([true, false])

  // Time goes on for the other one alone: the lease runs out there, while the paused one has heard of nothing.
  await other.clock.advanceUntil(() => other.host.leading, 60_000)
  expect(paused.host.leading).toBe(true)
  const before = paused.attempts.length

  // Both controllers now see work and both believe that they lead.
  await other.client.for(Deployment).patch('default/web', { type: 'merge', body: { spec: { replicas: 5 } } })
  await eventually(async () => {
    await other.clock.advance(100)
    await paused.clock.settle()
    expect((await other.client.for(Pod).list()).items).toHaveLength(5)
  })
  for (let turn = 0; turn < 20; turn++) {
    await paused.clock.settle()
    await other.clock.advance(500)
  }
  const attempts = paused.attempts.slice(before)
  expect(written(attempts, true)).toEqual([])
  // It did try: the test would show nothing otherwise.
  expect(written(attempts, false).length).toBeGreaterThan(0)
  const sets = (await other.client.for(ReplicaSet).list()).items
  expect(sets.map((set) => set.spec?.replicas)).toEqual([5])

  // Awake again it finds out, steps down, and still writes nothing of its own.
  for (let second = 0; second < 60; second++) for (const { clock } of [other, paused]) await clock.advance(1_000)
  expect([paused.host.leading, other.host.leading]).toEqual([false, true])
  expect(written(paused.attempts.slice(before), true)).toEqual([])
  expect((await other.client.for(Pod).list()).items).toHaveLength(5)
  const lease = await other.client.for(Lease).get('kube-system/continuo-controllers')
  expect(lease.spec?.holderIdentity).toBe('other')
})
