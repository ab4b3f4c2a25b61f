import { expect, test } from 'vitest'
import { DeletedPods } from '../../src/replica-set/deleted-pods.ts'
import { planReplicas } from '../../src/replica-set/plan.ts'
import { deletionOrder } from '../../src/replica-set/rank.ts'
import { podFrom } from '../../src/replica-set/replica-controller.ts'
import { slowStart } from '../../src/replica-set/slow-start.ts'
import { replicaSetStatus } from '../../src/replica-set/status.ts'
import { ms, podOf, setOf } from '../objects.ts'

const now = ms(100_000)
const order = (...pods: ReturnType<typeof podOf>[]) => deletionOrder(pods, pods, now).map((pod) => pod.metadata.name)

test('deletes in the order of Kubernetes', () => {
  expect(order(podOf('ready'), podOf('unassigned', { node: '' }))).toEqual(['unassigned', 'ready'])
  expect(order(podOf('running', { ready: false }), podOf('pending', { phase: 'Pending', ready: false }))).toEqual(['pending', 'running'])
  expect(order(podOf('ready'), podOf('unready', { ready: false }))).toEqual(['unready', 'ready'])
  const cost = (value: string) => ({ annotations: { 'controller.kubernetes.io/pod-deletion-cost': value } })
  expect(order(podOf('dear', cost('10')), podOf('cheap', cost('-5')), podOf('plain'))).toEqual(['cheap', 'plain', 'dear'])
  expect(order(podOf('alone', { node: 'b' }), podOf('two', { node: 'a' }), podOf('one', { node: 'a' }))[2]).toBe('alone')
  expect(order(podOf('old', { readyAt: 0 }), podOf('young', { readyAt: 99_999 }))).toEqual(['young', 'old'])
  expect(order(podOf('calm'), podOf('restless', { restarts: 3 }))).toEqual(['restless', 'calm'])
  expect(order(podOf('old', { created: 0 }), podOf('young', { created: 99_999 }))).toEqual(['young', 'old'])
})

test('treats ages of the same magnitude alike', () => {
  expect(order(podOf('b', { readyAt: 10_000 }), podOf('a', { readyAt: 5000 }))).toEqual(['a', 'b'])
})

test('sees the pods of the other generations on a node', () => {
  const own = [podOf('x', { node: 'a' }), podOf('y', { node: 'b' })]
  const others = [podOf('z', { node: 'b' })]
  expect(deletionOrder(own, [...own, ...others], now)[0]?.metadata.name).toBe('y')
})

test('replaces ended and going pods', () => {
  const pods = [podOf('a'), podOf('b', { phase: 'Failed' }), podOf('c', { deleted: true })]
  expect(planReplicas(3, pods, pods, now)).toEqual({ type: 'create', count: 2 })
  expect(planReplicas(1, pods, pods, now)).toEqual({ type: 'nothing' })
  expect(planReplicas(0, pods, pods, now)).toMatchObject({ type: 'delete', pods: [{ metadata: { name: 'a' } }] })
})

test('creates at most a burst at a time', () => {
  expect(planReplicas(2000, [], [], now)).toEqual({ type: 'create', count: 500 })
})

test('starts slowly and stops at the first batch that fails', async () => {
  const calls: number[] = []
  const failAt = async (limit: number) => {
    calls.length = 0
    return slowStart(20, async (index) => {
      calls.push(index)
      if (index >= limit) throw new TypeError(`refused ${index}`)
    })
  }
  expect(await failAt(100)).toEqual({ succeeded: 20 })
  expect(await failAt(0)).toMatchObject({ succeeded: 0 })
  expect(calls).toEqual([0])
  expect(await failAt(5)).toMatchObject({ succeeded: 5, error: { message: 'refused 5' } })
  expect(calls.length).toBe(7)
})

test('counts replicas, ready and available ones, and those of the whole template', () => {
  const set = setOf('v1', 3)
  set.spec!.minReadySeconds = 30
  set.spec!.template!.metadata!.labels = { app: 'web', extra: 'yes' }
  const pods = [
    podOf('a', { labels: { app: 'web', extra: 'yes' }, readyAt: 0 }),
    podOf('b', { readyAt: 99_990 }),
    podOf('c', { ready: false }),
    podOf('d', { deleted: true }),
    podOf('e', { phase: 'Succeeded' }),
  ]
  expect(replicaSetStatus(set, pods, undefined, now)).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 1,
  })
})

test('says why replicas are missing, and forgets it', () => {
  const set = setOf('v1', 3)
  const failed = replicaSetStatus(set, [], { reason: 'FailedCreate', message: 'quota' }, now)
  expect(failed.conditions).toMatchObject([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }])
  expect(replicaSetStatus({ ...set, status: failed }, [], undefined, now).conditions).toBeUndefined()
})

test('makes pods of the template that the set owns', () => {
  const pod = podFrom(setOf('v1', 1))
  expect(pod).toMatchObject({
    metadata: {
      generateName: 'v1-',
      namespace: 'default',
      labels: { app: 'web', 'pod-template-hash': 'v1' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'v1', controller: true, blockOwnerDeletion: true }],
    },
    spec: { containers: [{ image: 'v1' }] },
  })
})

test('does not choose a second victim while the first deletion does not show', () => {
  const deleted = new DeletedPods()
  deleted.add(podOf('a'))
  expect(deleted.without([podOf('a'), podOf('b')]).map((pod) => pod.metadata.name)).toEqual(['b'])
  expect(deleted.without([podOf('a', { deleted: true })]).length).toBe(1)
  deleted.add(podOf('b'))
  deleted.forget(podOf('b'))
  expect(deleted.without([podOf('b')]).length).toBe(1)
})
