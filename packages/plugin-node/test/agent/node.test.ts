import { Lease } from '@continuo/core'
import { Node } from '@continuo/workload'
import { afterEach, expect, it } from 'vitest'
import { Bench, type BenchOptions } from './bench.ts'

let bench: Bench
const start = async (options?: BenchOptions): Promise<Bench> => {
  bench = await Bench.start(options)
  return bench
}
afterEach(() => bench[Symbol.asyncDispose]())

const node = () => bench.client.for(Node).get('n1')
const ready = async () => (await node()).status?.conditions?.find((condition) => condition.type === 'Ready')
const lease = async () =>
  (await bench.client.for(Lease).get({ namespace: 'kube-node-lease', name: 'n1' })) as unknown as {
    metadata: { ownerReferences?: readonly { uid: string }[] }
    spec: { holderIdentity: string; renewTime: string; leaseDurationSeconds: number }
  }

it('registers the node with what it has, its labels and its taints', async () => {
  await start({ config: { labels: { zone: 'a' }, taints: [{ key: 'only', value: 'gpu', effect: 'NoSchedule' }], maxPods: 7 } })
  const registered = await node()
  expect(registered.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1', zone: 'a' })
  expect(registered.spec?.taints).toEqual([{ key: 'only', value: 'gpu', effect: 'NoSchedule' }])
  expect(registered.status).toMatchObject({
    capacity: { cpu: '4', memory: '8Gi', pods: '7' },
    addresses: [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'Hostname', address: 'n1' },
    ],
    nodeInfo: { containerRuntimeVersion: 'simulated://1.0.0' },
  })
  expect(await ready()).toMatchObject({ status: 'True', reason: 'KubeletReady' })
  expect((await lease()).metadata.ownerReferences?.[0]?.uid).toBe(registered.metadata.uid)
})

it('renews its lease four times in its duration, and again after the API was away', async () => {
  await start({ config: { leaseSeconds: 40 } })
  const renewals = new Set<string>()
  for (let second = 0; second < 40; second++) {
    renewals.add((await lease()).spec.renewTime)
    await bench.clock.advance(1_000)
  }
  expect(renewals.size).toBe(4)
  bench.fault = { fails: () => true }
  const lost = (await lease()).spec.renewTime
  await bench.clock.advance(120_000)
  expect((await lease()).spec.renewTime).toBe(lost)
  bench.fault = { fails: () => false }
  await bench.clock.advance(11_000)
  expect((await lease()).spec.renewTime > lost).toBe(true)
})

it('is ready again after somebody declared it unknown', async () => {
  await start()
  const unknown = { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] }
  await bench.client
    .for(Node)
    .subresource('status')
    .patch('n1', { type: 'strategic', body: { status: unknown } })
  await bench.clock.advance(11_000)
  expect(await ready()).toMatchObject({ status: 'True' })
})

it('registers again when its node is deleted, and its pods run on', async () => {
  await start()
  await bench.create('web')
  await bench.running('web')
  const before = await node()
  await bench.client.for(Node).delete('n1')
  await bench.clock.advance(11_000)
  expect((await node()).metadata.uid).not.toBe(before.metadata.uid)
  expect(await ready()).toMatchObject({ status: 'True' })
  expect(await bench.attempts('web')).toHaveLength(1)
})

it('is not ready while its runtime does not work, and says why', async () => {
  await start()
  bench.runtime.unavailable = 'the daemon is down'
  await bench.clock.advance(11_000)
  expect(await ready()).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    message: expect.stringContaining('the daemon is down'),
  })
  bench.runtime.unavailable = undefined
  await bench.clock.advance(11_000)
  expect(await ready()).toMatchObject({ status: 'True' })
})

it('keeps conditions and labels that others wrote', async () => {
  await start()
  const condition = { type: 'example.com/Disk', status: 'True', reason: 'Fine', message: '' }
  await bench.client
    .for(Node)
    .subresource('status')
    .patch('n1', { type: 'strategic', body: { status: { conditions: [condition] } } })
  await bench.client.for(Node).patch('n1', { type: 'merge', body: { metadata: { labels: { theirs: 'yes' } } } })
  await bench.stopAgent()
  await bench.startAgent()
  await bench.clock.advance(600_000)
  expect((await node()).status?.conditions?.find(({ type }) => type === 'example.com/Disk')).toMatchObject(condition)
  expect((await node()).metadata.labels).toMatchObject({ theirs: 'yes' })
})

it('ends its containers when it is told to at its stop, and only then', async () => {
  await start({ config: { onStop: 'stop' } })
  await bench.create('web')
  await bench.running('web')
  const stopping = bench.stopAgent()
  await bench.clock.advance(10_000)
  await stopping
  expect(await bench.runtime.list()).toEqual([])
})
