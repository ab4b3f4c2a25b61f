import { Event, formatMicroTime, formatTime, type KubeObject, Lease, type ObjectClient } from '@continuo/core'
import { createVirtualClock, type SplitCluster, startSplitCluster, type VirtualClock } from '@continuo/testkit'
import { Node, Pod } from '@continuo/workload'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultTolerations, expiry, nodeLifecycle } from '../../src/index.ts'

let cluster: SplitCluster
let client: ObjectClient
let clock: VirtualClock

beforeEach(async () => {
  clock = createVirtualClock()
  cluster = await startSplitCluster({ clock, admission: { defaultTolerations, expiry }, controllers: { nodeLifecycle } })
  client = cluster.client
})

afterEach(() => cluster[Symbol.asyncDispose]())

const node = { namespace: '', name: 'n1' }
const pod = 'default/p'
const taints = async (): Promise<string[]> =>
  ((await client.for(Node).get(node)).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
const ready = async () => (await client.for(Node).get(node)).status?.conditions?.find(({ type }) => type === 'Ready')
const podIsGone = async (): Promise<boolean> =>
  (await client.for(Pod).list({ namespace: 'default' })).items.every((each) => each.metadata.deletionTimestamp !== undefined)

async function startNode(): Promise<void> {
  await client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: {}, status: {} })
  await postReady()
  await client.for(Lease).create({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n1', namespace: 'kube-node-lease' },
    spec: { holderIdentity: 'n1', leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) },
  })
}

async function postReady(): Promise<void> {
  const now = formatTime(clock.now())
  const current = await client.for(Node).get(node)
  await client.for(Node).updateStatus({
    ...current,
    status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now, lastTransitionTime: now }] },
  })
}

const renew = () =>
  client.for(Lease).patch('kube-node-lease/n1', { type: 'merge', body: { spec: { renewTime: formatMicroTime(clock.now()) } } })

async function startPod(tolerations: NonNullable<Pod['spec']>['tolerations'] = []): Promise<void> {
  await client.for(Pod).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x' }], tolerations },
  })
  const created = await client.for(Pod).get(pod)
  await client.for(Pod).updateStatus({
    ...created,
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) }] },
  })
}

test('a node that renews its lease stays ready for hours', async () => {
  await startNode()
  for (let minute = 0; minute < 120; minute++) {
    await clock.advance(30_000)
    await renew()
  }
  expect((await ready())?.status).toBe('True')
  expect(await taints()).toEqual([])
})

test('a silent node becomes unknown, is tainted, and its pods leave when their time is up', async () => {
  await startNode()
  await startPod()
  await clock.advance(39_000)
  expect((await ready())?.status).toBe('True')
  await clock.advanceUntil(async () => (await taints()).length === 2, 20_000)
  expect(await ready()).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' })
  expect(await taints()).toEqual(['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'])
  await clock.advanceUntil(
    async () =>
      (await client.for(Pod).get(pod)).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') === true,
    20_000,
  )
  await clock.advance(280_000)
  expect(await podIsGone()).toBe(false)
  await clock.advanceUntil(podIsGone, 30_000)
})

test('a node that comes back in time loses its taints and keeps its pods', async () => {
  await startNode()
  await startPod()
  await clock.advanceUntil(async () => (await taints()).length === 2, 60_000)
  await postReady()
  await clock.advanceUntil(async () => (await taints()).length === 0, 20_000)
  for (let i = 0; i < 20; i++) {
    await clock.advance(30_000)
    await renew()
  }
  expect(await podIsGone()).toBe(false)
})

test('pods that tolerate it for good stay', async () => {
  await startNode()
  await startPod([{ operator: 'Exists' }])
  await clock.advance(3600_000)
  expect(await podIsGone()).toBe(false)
})

test('pods of a node that was deleted are collected', async () => {
  await startNode()
  await startPod()
  await client.for(Node).delete(node)
  await clock.advance(30_000)
  expect(await podIsGone()).toBe(false)
  await clock.advanceUntil(async () => (await client.for(Pod).list({ namespace: 'default' })).items.length === 0, 90_000)
})

test('events go after an hour', async () => {
  const at = formatTime(clock.now())
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    reason: 'Tested',
    message: 'x',
    type: 'Normal',
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  }
  await client.for(Event).create(event as KubeObject as Event)
  const count = async () =>
    (await client.for(Event).list({ namespace: 'default' })).items.filter(({ metadata }) => metadata.name === 'e').length
  await clock.advance(3590_000)
  expect(await count()).toBe(1)
  await clock.advanceUntil(async () => (await count()) === 0, 60_000)
})
