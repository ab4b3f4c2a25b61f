import { createSeededRandom, createVirtualClock } from '@continuo/testkit'
import { expect, it } from 'vitest'
import {
  createHost,
  createMemoryStore,
  definePlugin,
  Lease,
  type ObjectClient,
  ObjectClientCap,
  type Store,
  StoreCap,
} from '../../src/index.ts'

/** Two control planes over one store, as on etcd; each has an object stack, a cache and an election of its own. */
function controlPlane(name: string, store: Store, clock: ReturnType<typeof createVirtualClock>) {
  const leads: { readonly client: ObjectClient; readonly signal: AbortSignal }[] = []
  const host = createHost({
    name,
    role: 'control-plane',
    clock,
    random: createSeededRandom(name.length),
    leaderElection: { identity: name },
    plugins: [
      {
        slot: 'store',
        plugin: definePlugin({ name: 'shared', api: '^1', provides: [StoreCap], setup: (ctx) => ctx.provide(StoreCap, store) }),
      },
      {
        slot: 'writer',
        plugin: definePlugin({
          name: 'writer',
          api: '^1',
          setup: (ctx) =>
            ctx.whileLeading('write', async (lead) => {
              leads.push(lead)
              await new Promise((resolve) => lead.signal.addEventListener('abort', resolve))
            }),
        }),
      },
    ],
  })
  return { host, leads }
}

const lease = (name: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'default' },
  spec: { holderIdentity: name },
})

it('a leader that was overtaken writes nothing more through the real object stack', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore()
  const a = controlPlane('a', store, clock)
  const other = controlPlane('other', store, clock)
  await a.host.start()
  await clock.advanceUntil(() => a.host.leading)
  await a.leads[0]?.client.for(Lease).create(lease('first'))

  // What a takeover looks like to a paused leader: the lease changes hands and the epoch moves on, and it has not heard of it.
  await other.host.start()
  const leases = other.host.use(ObjectClientCap).for(Lease)
  const held = await leases.get('kube-system/continuo-controllers')
  await leases.update({ ...held, spec: { ...held.spec, holderIdentity: '' } })
  await clock.advanceUntil(() => other.host.leading)
  await other.leads[0]?.client.for(Lease).create(lease('second'))
  await expect(a.leads[0]?.client.for(Lease).create(lease('too-late'))).rejects.toMatchObject({ reason: 'Conflict' })

  const names = (await leases.list({ namespace: 'default' })).items.map((item) => item.metadata.name)
  expect(names).toEqual(['first', 'second'])
  await clock.advance(5_000)
  expect([a.host.leading, other.host.leading]).toEqual([false, true])
  expect(a.leads[0]?.signal.aborted).toBe(true)
  await a.host.stop()
  await other.host.stop()
})

it('a host that restarts under its own name leads again without waiting for its old lease', async () => {
  const clock = createVirtualClock()
  const store = createMemoryStore()
  const crashed = controlPlane('same', store, clock)
  await crashed.host.start()
  await clock.advanceUntil(() => crashed.host.leading)
  const begun = clock.monotonic()
  const again = controlPlane('same', store, clock)
  await again.host.start()
  await clock.settle()
  expect(again.host.leading).toBe(true)
  expect(clock.monotonic() - begun).toBeLessThan(1_000)
  await again.host.stop()
  await crashed.host.stop()
})
