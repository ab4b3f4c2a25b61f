import type { Node, NodeCondition, Taint, Toleration } from '@continuo/workload'
import { expect, test } from 'vitest'
import { evictionTime } from '../../src/node-lifecycle/eviction.ts'
import { nextTaints, refreshed, silentConditions } from '../../src/node-lifecycle/health.ts'
import { doomedPods } from '../../src/node-lifecycle/pod-collection.ts'
import { missingTolerations } from '../../src/tolerations/default-tolerations.ts'
import { at, ms, podOf } from '../objects.ts'

const nodeWith = (conditions: Record<string, 'True' | 'False' | 'Unknown'>, spec: Node['spec'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', creationTimestamp: at(0) },
  spec,
  status: {
    conditions: Object.entries(conditions).map(
      ([type, status]): NodeCondition => ({ type, status, lastTransitionTime: at(0), lastHeartbeatTime: at(0) }),
    ),
  },
})
const keys = (taints: readonly Taint[] | undefined) =>
  taints?.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`)

test('a change of what the node says is a sign of life, whatever its clock says', () => {
  const first = refreshed(undefined, 'lease 1', 100)
  expect(refreshed(first, 'lease 1', 5000)).toEqual({ seen: 'lease 1', at: 100 })
  expect(refreshed(first, 'lease 0', 5000)).toEqual({ seen: 'lease 0', at: 5000 })
})

test('makes the conditions of a silent node unknown, and those that it never posted', () => {
  const conditions = silentConditions(nodeWith({ Ready: 'True', MemoryPressure: 'False', DiskPressure: 'False' }), ms(50))
  expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Ready', 'Unknown', 'NodeStatusUnknown'],
    ['MemoryPressure', 'Unknown', 'NodeStatusUnknown'],
    ['DiskPressure', 'Unknown', 'NodeStatusUnknown'],
    ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
  ])
  expect(conditions?.[0]).toMatchObject({
    message: 'Kubelet stopped posting node status.',
    lastTransitionTime: at(50),
    lastHeartbeatTime: at(0),
  })
  expect(silentConditions({ ...nodeWith({}), status: { conditions: conditions! } }, ms(60))).toBeUndefined()
})

test.each<[Parameters<typeof nodeWith>[0], Node['spec'], string[] | undefined]>([
  [{ Ready: 'True' }, {}, undefined],
  [{ Ready: 'False' }, {}, ['not-ready:NoSchedule', 'not-ready:NoExecute']],
  [{ Ready: 'Unknown' }, {}, ['unreachable:NoSchedule', 'unreachable:NoExecute']],
  [{ Ready: 'True', DiskPressure: 'True' }, {}, ['disk-pressure:NoSchedule']],
  [{ Ready: 'True' }, { unschedulable: true }, ['unschedulable:NoSchedule']],
  [
    { Ready: 'True' },
    {
      taints: [
        { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
        { key: 'mine', effect: 'NoExecute' },
      ],
    },
    ['mine:NoExecute'],
  ],
  [{}, {}, undefined],
])('conditions %j and spec %j need taints %j', (conditions, spec, expected) => {
  expect(keys(nextTaints(nodeWith(conditions, spec), ms(0)))).toEqual(expected)
})

test('keeps the time of a taint that stays', () => {
  const taints: Taint[] = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: at(1) }]
  expect(nextTaints(nodeWith({ Ready: 'False' }, { taints }), ms(50))).toMatchObject([
    { timeAdded: at(1) },
    { effect: 'NoExecute', timeAdded: at(50) },
  ])
})

const pod = (tolerations: Toleration[]) => {
  const subject = podOf('p')
  subject.spec!.tolerations = tolerations
  return subject
}
const taint: Taint = { key: 'k', effect: 'NoExecute', timeAdded: at(10) }

test('a pod leaves at once, in time or never, as it tolerates', () => {
  expect(evictionTime(pod([]), [taint])).toBe(0)
  expect(evictionTime(pod([{ key: 'k', operator: 'Exists', tolerationSeconds: 300 }]), [taint])).toBe(ms(310))
  expect(
    evictionTime(
      pod([
        { key: 'k', operator: 'Exists', tolerationSeconds: 300 },
        { operator: 'Exists', tolerationSeconds: 60 },
      ]),
      [taint],
    ),
  ).toBe(ms(70))
  expect(evictionTime(pod([{ operator: 'Exists' }]), [taint])).toBeUndefined()
  expect(evictionTime(pod([{ key: 'other', operator: 'Exists' }]), [taint])).toBe(0)
  expect(evictionTime(pod([]), [{ ...taint, effect: 'NoSchedule' }])).toBeUndefined()
})

test('collects pods of lost nodes, those deleted before they had one, and the oldest of too many that ended', () => {
  const pods = [
    podOf('orphan', { node: 'gone' }),
    podOf('fine', { node: 'here' }),
    podOf('early', { node: '', deleted: true }),
    podOf('waiting', { node: '' }),
    podOf('done-2', { phase: 'Succeeded', created: 2 }),
    podOf('done-1', { phase: 'Failed', created: 1 }),
  ]
  expect(doomedPods(pods, (name) => name === 'gone', 1).map(({ pod, why }) => `${pod.metadata.name} ${why}`)).toEqual([
    'orphan orphaned',
    'early unscheduled',
    'done-1 terminated',
  ])
})

test('gives pods a time to bear unhealthy nodes unless they say themselves', () => {
  const seconds = { notReadySeconds: 300, unreachableSeconds: 300 }
  expect(missingTolerations([], seconds)).toEqual([
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ])
  expect(missingTolerations([{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }], seconds).map(({ key }) => key)).toEqual([
    'node.kubernetes.io/unreachable',
  ])
  expect(missingTolerations([{ operator: 'Exists' }], seconds)).toEqual([])
})
