import type { EndpointSlice, Service } from '@continuo/workload'
import { expect, test } from 'vitest'
import { desiredGroups, sliceFrame } from '../../src/endpoint-slice/desired-slices.ts'
import { planSlices } from '../../src/endpoint-slice/plan-slices.ts'
import { podOf, serviceOf } from '../objects.ts'

type Pods = ReturnType<typeof podOf>[]
const pods = (count: number, from = 0): Pods =>
  Array.from({ length: count }, (_, i) => podOf(`p${from + i}`, { ip: `10.0.${Math.floor((from + i) / 250)}.${(from + i) % 250}` }))
const plan = (existing: EndpointSlice[], members: Pods, service: Service = serviceOf()) =>
  planSlices(
    existing,
    desiredGroups(service, members, (node) => (node === 'n1' ? 'zone-a' : undefined)),
    sliceFrame(service),
  )
const stored = (slices: readonly EndpointSlice[]): EndpointSlice[] =>
  slices.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `s${i}` } }))

test('describes an endpoint with state, node, zone and pod', () => {
  const [slice] = plan([], [podOf('a', { ip: '10.0.0.1' })]).create
  expect(slice).toMatchObject({
    addressType: 'IPv4',
    metadata: {
      generateName: 'web-',
      labels: {
        tier: 'front',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      ownerReferences: [{ kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
    },
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.0.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'n1',
        zone: 'zone-a',
        targetRef: { kind: 'Pod', name: 'a' },
      },
    ],
  })
})

test('a pod that is going is not ready at once, and serves while it can', () => {
  const conditions = (options: object, spec = {}) =>
    plan([], [podOf('a', { ip: '10.0.0.1', ...options })], serviceOf(spec)).create[0]?.endpoints?.[0]?.conditions
  expect(conditions({ deleted: true })).toEqual({ ready: false, serving: true, terminating: true })
  expect(conditions({ deleted: true, ready: false })).toEqual({ ready: false, serving: false, terminating: true })
  expect(conditions({ ready: false })).toEqual({ ready: false, serving: false, terminating: false })
  expect(conditions({ ready: false }, { publishNotReadyAddresses: true })).toEqual({ ready: true, serving: false, terminating: false })
})

test('writes nothing when nothing changed', () => {
  const existing = stored(plan([], pods(150)).create)
  expect(plan(existing, pods(150))).toEqual({ create: [], update: [], remove: [] })
})

test('fills slices of at most a hundred', () => {
  expect(plan([], pods(250)).create.map((slice) => slice.endpoints?.length)).toEqual([100, 100, 50])
})

test('updates one slice when one of many endpoints changes', () => {
  const existing = stored(plan([], pods(250)).create)
  const changed = pods(250)
  changed[120] = podOf('p120', { ip: '10.0.0.120', ready: false })
  const { create, update, remove } = plan(existing, changed)
  expect([create.length, update.map((slice) => slice.metadata.name), remove.length]).toEqual([0, ['s1'], 0])
})

test('puts newcomers where something changes anyway', () => {
  const existing = stored(plan([], pods(250)).create)
  const next = [...pods(250).filter((pod) => pod.metadata.name !== 'p5'), ...pods(1, 900)]
  const { create, update } = plan(existing, next)
  expect([create.length, update.map((slice) => slice.metadata.name)]).toEqual([0, ['s0']])
})

test('removes slices that become empty, but keeps one that says so', () => {
  const existing = stored(plan([], pods(150)).create)
  const { update, remove, create } = plan(existing, [])
  expect(remove.map((slice) => slice.metadata.name)).toEqual(['s0', 's1'])
  expect(create).toMatchObject([{ endpoints: [], ports: [] }])
  expect(update).toEqual([])
  const empty = stored(create)
  expect(plan(empty, [])).toEqual({ create: [], update: [], remove: [] })
})

test('separates pods with other ports', () => {
  const members = [podOf('a', { ip: '10.0.0.1' }), podOf('b', { ip: '10.0.0.2', ports: [{ name: 'http', containerPort: 9090 }] })]
  expect(
    plan([], members)
      .create.map((slice) => slice.ports?.[0]?.port)
      .sort(),
  ).toEqual([8080, 9090])
})

test('follows the labels of the service', () => {
  const existing = stored(plan([], pods(1)).create)
  const service = serviceOf()
  service.metadata.labels = { tier: 'back' }
  expect(plan(existing, pods(1), service).update[0]?.metadata.labels).toMatchObject({ tier: 'back', 'kubernetes.io/service-name': 'web' })
})

test('marks slices of headless services, which may have no ports', () => {
  const service = serviceOf({ clusterIP: 'None', ports: [] })
  expect(plan([], pods(1), service).create).toMatchObject([
    { metadata: { labels: { 'service.kubernetes.io/headless': '' } }, ports: [], endpoints: [{}] },
  ])
})
