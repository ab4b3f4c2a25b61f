import { createHost, ObjectClientCap, StoreCap } from '@continuo/core'
import { eventually, startSplitCluster } from '@continuo/testkit'
import { Node, workloadKinds } from '@continuo/workload'
import { expect, test } from 'vitest'
import { nodeIpam } from '../../src/index.ts'

const config = { clusterRange: '10.244.0.0/20', nodeBits: 24 }
const ipam = { slot: 'ipam', plugin: nodeIpam, config }

test('nodes that come at once get ranges that do not overlap, and leave them to others', async () => {
  await using cluster = await startSplitCluster({ admission: { ipam }, controllers: {} })
  const nodes = cluster.client.for(Node)
  const names = Array.from({ length: 16 }, (_, index) => `n${index}`)
  const create = (name: string) => nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
  for (let round = 0; round < 2; round++) {
    const made = await Promise.all(names.map(create))
    expect(new Set(made.map(({ spec }) => spec?.podCIDR)).size).toBe(16)
    await expect(create('late')).rejects.toThrow('10.244.0.0/20 is full')
    await Promise.all(names.map((name) => nodes.delete({ namespace: '', name })))
  }
  expect((await create('late')).spec?.podCIDRs).toHaveLength(1)
})

test('a node that was there before gets its range too', async () => {
  await using before = await startSplitCluster({ admission: {} })
  await before.client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'old' } })
  const host = createHost({
    name: 'after',
    role: 'control-plane',
    leaderElection: false,
    inherit: [[StoreCap, before.api.use(StoreCap)]],
    plugins: [{ slot: 'kinds', plugin: workloadKinds }, ipam],
  })
  await host.start()
  try {
    const node = () => host.use(ObjectClientCap).for(Node).get({ namespace: '', name: 'old' })
    await eventually(async () => (await node()).spec?.podCIDR !== undefined, 'a range for the old node')
    expect((await node()).spec).toEqual({ podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] })
  } finally {
    await host.stop()
  }
})
