import type { Node, Pod } from '@continuo/workload'
import { expect, test } from 'vitest'
import { builtInFilters } from '../../src/filters/index.ts'
import { explainMisfit } from '../../src/placement/explain.ts'
import { findFeasible } from '../../src/placement/feasible.ts'
import { prepareFilters } from '../../src/placement/place.ts'
import { attemptOf, cacheOf, node, placed, pod } from '../objects.ts'

function look(subject: Pod, nodes: readonly Node[], pods: readonly Pod[] = []) {
  const cache = cacheOf(nodes, pods)
  const attempt = attemptOf(subject, cache)
  const { feasible, rejected } = findFeasible(attempt.snapshot.nodes, prepareFilters(attempt, builtInFilters), 0, nodes.length)
  return { fits: feasible.map((each) => each.name), why: explainMisfit(nodes.length, rejected.values()), rejected }
}

test('explains in the words of Kubernetes, reasons counted and sorted', () => {
  const nodes = [
    node('a', { cpu: '1' }),
    node('b', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
    node('c', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
  ]
  expect(look(pod('p', { cpu: '2' }), nodes).why).toBe(
    '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {gpu: yes}.',
  )
})

test('names every lacking resource of a node, and whether eviction could help', () => {
  const { why, rejected } = look(pod('p', { cpu: '3', memory: '9Gi' }), [node('a')], [placed('x', 'a', { cpu: '2' })])
  expect(why).toBe('0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.')
  expect(rejected.get('a')).toMatchObject({ by: 'NodeResourcesFit', retriable: false })
})

test('counts pods against the number that the node allows', () => {
  expect(look(pod('p'), [node('a', { pods: '1' }), node('b', { pods: '2' })], [placed('x', 'a'), placed('y', 'b')]).fits).toEqual(['b'])
})

test('fits a pod that takes exactly what is left, and none that takes a millicore more', () => {
  const pods = [placed('x', 'a', { cpu: '3500m' })]
  expect(look(pod('p', { cpu: '500m' }), [node('a')], pods).fits).toEqual(['a'])
  expect(look(pod('p', { cpu: '501m' }), [node('a')], pods).fits).toEqual([])
})

test('refuses an extended resource that the node does not have', () => {
  const subject = pod('p')
  subject.spec!.containers[0]!.resources = { requests: { 'example.com/gpu': '1' } }
  expect(look(subject, [node('a')]).why).toBe('0/1 nodes are available: 1 Insufficient example.com/gpu.')
})

test.each([
  [{ key: 'a', operator: 'Equal' as const, value: 'b', effect: 'NoSchedule' as const }, true],
  [{ key: 'a', operator: 'Exists' as const }, true],
  [{ operator: 'Exists' as const }, true],
  [{ key: 'a', value: 'other' }, false],
  [{ key: 'a', value: 'b', effect: 'NoExecute' as const }, false],
])('toleration %j of taint a=b:NoSchedule is %s', (toleration, fits) => {
  const nodes = [node('n', { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] })]
  expect(look(pod('p', { tolerations: [toleration] }), nodes).fits).toEqual(fits ? ['n'] : [])
})

test('ignores taints that only prefer', () => {
  expect(look(pod('p'), [node('n', { taints: [{ key: 'a', effect: 'PreferNoSchedule' }] })]).fits).toEqual(['n'])
})

test('keeps pods off cordoned nodes but for those that tolerate it', () => {
  const nodes = [node('n', { unschedulable: true })]
  expect(look(pod('p'), nodes).why).toBe('0/1 nodes are available: 1 node(s) were unschedulable.')
  expect(
    look(pod('p', { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] }), nodes).fits,
  ).toEqual(['n'])
})

test('honours the node selector', () => {
  const { fits, why } = look(pod('p', { nodeSelector: { disk: 'ssd' } }), [node('a', { labels: { disk: 'hdd' } }), node('b')])
  expect(fits).toEqual([])
  expect(why).toBe("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.")
})

test.each([
  [{ key: 'size', operator: 'Gt' as const, values: ['5'] }, ['a']],
  [{ key: 'size', operator: 'Lt' as const, values: ['5'] }, ['b']],
  [{ key: 'size', operator: 'In' as const, values: ['3', '4'] }, ['b']],
  [{ key: 'size', operator: 'NotIn' as const, values: ['3'] }, ['a', 'c']],
  [{ key: 'size', operator: 'Exists' as const }, ['a', 'b']],
  [{ key: 'size', operator: 'DoesNotExist' as const }, ['c']],
])('required node affinity %j picks %j', (expression, fits) => {
  const nodes = [node('a', { labels: { size: '10' } }), node('b', { labels: { size: '3' } }), node('c')]
  const affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
  }
  expect(look(pod('p', { affinity }), nodes).fits).toEqual(fits)
})

test('picks a node by its name through matchFields, terms being alternatives', () => {
  const terms = ['a', 'c'].map((name) => ({ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [name] }] }))
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } }
  expect(look(pod('p', { affinity }), [node('a'), node('b'), node('c')]).fits).toEqual(['a', 'c'])
})

test('gives a host port once per node, per protocol and address', () => {
  const port = (hostPort: number, protocol: 'TCP' | 'UDP' = 'TCP', hostIP?: string) => ({
    containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, protocol, ...(hostIP && { hostIP }) }] }],
  })
  const pods = [placed('x', 'a', port(80, 'TCP', '10.0.0.1'))]
  expect(look(pod('p', port(80)), [node('a')], pods).why).toBe(
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  )
  expect(look(pod('p', port(80, 'TCP', '10.0.0.2')), [node('a')], pods).fits).toEqual(['a'])
  expect(look(pod('p', port(80, 'UDP')), [node('a')], pods).fits).toEqual(['a'])
  expect(look(pod('p', port(81)), [node('a')], pods).fits).toEqual(['a'])
})

const spreadBy = (topologyKey: string, more: object = {}) => ({
  labels: { app: 'web' },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: { matchLabels: { app: 'web' } }, ...more },
  ],
})

test('keeps the skew of a hard spread constraint', () => {
  const nodes = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '1' } }), node('c', { labels: { zone: '2' } })]
  const pods = [placed('x', 'a', { labels: { app: 'web' } }), placed('other', 'c', { labels: { app: 'db' } })]
  expect(look(pod('p', spreadBy('zone')), nodes, pods).fits).toEqual(['c'])
})

test('says which nodes lack the topology label', () => {
  const nodes = [node('a')]
  expect(look(pod('p', spreadBy('zone')), nodes).why).toBe(
    "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
  )
})

test('treats too few domains as an empty one', () => {
  const nodes = [node('a', { labels: { zone: '1' } })]
  const pods = [placed('x', 'a', { labels: { app: 'web' } })]
  expect(look(pod('p', spreadBy('zone', { minDomains: 2 })), nodes, pods).fits).toEqual([])
  expect(look(pod('p', spreadBy('zone')), nodes, pods).fits).toEqual(['a'])
})

test('does not count pods that are going, nor those of other namespaces', () => {
  const nodes = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } })]
  const going = placed('x', 'a', { labels: { app: 'web' } })
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
  const foreign = placed('y', 'a', { labels: { app: 'web' } })
  foreign.metadata.namespace = 'elsewhere'
  expect(look(pod('p', spreadBy('zone')), nodes, [going, foreign]).fits).toEqual(['a', 'b'])
})

const near = (labels: Record<string, string>, topologyKey = 'zone', more: object = {}) => ({
  topologyKey,
  labelSelector: { matchLabels: labels },
  ...more,
})
const affinity = (kind: 'podAffinity' | 'podAntiAffinity', ...terms: object[]) => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: terms } } as never,
})
const zones = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } }), node('c')]

test('places a pod where the pods are that it wants to be near', () => {
  const pods = [placed('x', 'b', { labels: { app: 'db' } })]
  const { fits, why } = look(pod('p', affinity('podAffinity', near({ app: 'db' }))), zones, pods)
  expect(fits).toEqual(['b'])
  expect(why).toBe("0/3 nodes are available: 2 node(s) didn't match pod affinity rules.")
})

test('lets the first pod of a group begin anywhere that has the topology label', () => {
  expect(look(pod('p', { labels: { app: 'web' }, ...affinity('podAffinity', near({ app: 'web' })) }), zones).fits).toEqual(['a', 'b'])
  expect(look(pod('p', affinity('podAffinity', near({ app: 'web' }))), zones).fits).toEqual([])
})

test('keeps a pod away from those that it does not want to be near', () => {
  const pods = [placed('x', 'a', { labels: { app: 'web' } })]
  const { fits, rejected } = look(pod('p', affinity('podAntiAffinity', near({ app: 'web' }))), zones, pods)
  expect(fits).toEqual(['b', 'c'])
  expect(rejected.get('a')?.reason).toBe("node(s) didn't match pod anti-affinity rules")
})

test('keeps a pod away from those that do not want it', () => {
  const pods = [placed('x', 'a', affinity('podAntiAffinity', near({ app: 'web' })))]
  const { fits, rejected } = look(pod('p', { labels: { app: 'web' } }), zones, pods)
  expect(fits).toEqual(['b', 'c'])
  expect(rejected.get('a')?.reason).toBe("node(s) didn't satisfy existing pods anti-affinity rules")
})

test('looks at pods of its own namespace unless others are named', () => {
  const foreign = placed('x', 'a', { labels: { app: 'web' } })
  foreign.metadata.namespace = 'elsewhere'
  const fits = (more: object) => look(pod('p', affinity('podAntiAffinity', near({ app: 'web' }, 'zone', more))), zones, [foreign]).fits
  expect(fits({})).toEqual(['a', 'b', 'c'])
  expect(fits({ namespaces: ['elsewhere'] })).toEqual(['b', 'c'])
  expect(fits({ namespaceSelector: {} })).toEqual(['b', 'c'])
})
