import type { Node, Pod } from '@continuo/workload'
import { expect, test } from 'vitest'
import { builtInFilters } from '../../src/filters/index.ts'
import { explainMisfit } from '../../src/placement/explain.ts'
import { enoughNodes, findFeasible } from '../../src/placement/feasible.ts'
import { place } from '../../src/placement/place.ts'
import { bestNode } from '../../src/placement/rank.ts'
import { builtInScores } from '../../src/scores/index.ts'
import { attemptOf, cacheOf, node, placed, pod } from '../objects.ts'

const choose = (
  subject: Pod,
  nodes: readonly Node[],
  pods: readonly Pod[] = [],
  weights: Record<string, number> = {},
): string | undefined =>
  place(attemptOf(subject, cacheOf(nodes, pods)), { filters: builtInFilters, scores: builtInScores, weights }, { start: 0 }, () => 0.999)
    ?.node.name

test('prefers the node with most left', () => {
  expect(choose(pod('p', { cpu: '1' }), [node('a'), node('b')], [placed('x', 'a', { cpu: '2', memory: '4Gi' })])).toBe('b')
})

test('spreads pods without requests as well', () => {
  expect(choose(pod('p'), [node('a'), node('b'), node('c')], [placed('x', 'a'), placed('y', 'b')])).toBe('c')
})

test('prefers balanced use of CPU and memory', () => {
  const pods = [placed('x', 'a', { cpu: '2', memory: '1Gi' }), placed('y', 'b', { cpu: '1', memory: '3Gi' })]
  expect(choose(pod('p', { cpu: '100m', memory: '2Gi' }), [node('a'), node('b')], pods, { leastAllocated: 0 })).toBe('a')
})

test('spreads the pods of one owner over nodes, and over zones first', () => {
  const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } })
  const nodes = [node('a', zone('1')), node('b', zone('1')), node('c', zone('2')), node('d', zone('2'))]
  expect(
    choose(pod('p', { owner: 'rs' }), nodes, [placed('x', 'a', { owner: 'rs' }), placed('y', 'c', { owner: 'other' })], {
      leastAllocated: 0,
    }),
  ).not.toMatch(/[ab]/)
})

test('weight 0 turns a rule off', () => {
  const pods = [placed('x', 'a', { owner: 'rs' }), placed('big', 'b', { cpu: '3', memory: '6Gi' })]
  expect(choose(pod('p', { owner: 'rs' }), [node('a'), node('b')], pods, { leastAllocated: 0, balanced: 0 })).toBe('b')
  expect(choose(pod('p', { owner: 'rs' }), [node('a'), node('b')], pods, { spread: 0 })).toBe('a')
})

test('avoids nodes with taints that only prefer', () => {
  expect(choose(pod('p'), [node('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), node('b')], [placed('x', 'b')])).toBe('b')
})

test('follows preferred node affinity by weight', () => {
  const prefer = (weight: number, disk: string) => ({
    weight,
    preference: { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: [disk] }] },
  })
  const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefer(10, 'hdd'), prefer(80, 'ssd')] } }
  expect(choose(pod('p', { affinity }), [node('a', { labels: { disk: 'hdd' } }), node('b', { labels: { disk: 'ssd' } })])).toBe('b')
})

test('follows soft spread constraints', () => {
  const constraint = {
    maxSkew: 1,
    topologyKey: 'zone',
    whenUnsatisfiable: 'ScheduleAnyway' as const,
    labelSelector: { matchLabels: { app: 'web' } },
  }
  const nodes = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } })]
  const pods = [placed('x', 'a', { labels: { app: 'web' } }), placed('y', 'b', { cpu: '500m' })]
  expect(choose(pod('p', { labels: { app: 'web' }, topologySpreadConstraints: [constraint] }), nodes, pods)).toBe('b')
})

test.each([
  ['podAffinity', 'b'],
  ['podAntiAffinity', 'a'],
])('follows preferred %s', (kind, expected) => {
  const term = { weight: 100, podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'db' } } } }
  const affinity = { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [term] } }
  const nodes = [node('a', { labels: { zone: '1' } }), node('b', { labels: { zone: '2' } })]
  const pods = [placed('x', 'b', { labels: { app: 'db' } }), placed('y', 'a', { cpu: '100m' })]
  expect(choose(pod('p', { affinity }), nodes, pods)).toBe(expected)
})

test('gives undefined when nothing fits', () => {
  expect(choose(pod('p', { cpu: '100' }), [node('a')])).toBeUndefined()
  expect(choose(pod('p'), [])).toBeUndefined()
})

test('decides among equals by the random number', () => {
  const { nodes } = cacheOf([node('a'), node('b'), node('c')]).snapshot()
  expect(bestNode(nodes, [], () => 0).node.name).toBe('a')
  expect(bestNode(nodes, [], () => 0.999).node.name).toBe('c')
})

test.each([
  [50, undefined, 50],
  [1000, undefined, 420],
  [5000, undefined, 500],
  [20_000, undefined, 1000],
  [5000, 50, 2500],
  [5000, 100, 5000],
  [150, 1, 100],
])('of %d nodes at %s percent, %d are enough', (count, percentage, enough) => {
  expect(enoughNodes(count, percentage)).toBe(enough)
})

test('goes round the nodes from the start and stops when there are enough', () => {
  const { nodes } = cacheOf(['a', 'b', 'c', 'd'].map((name) => node(name))).snapshot()
  const found = findFeasible(nodes, [], 3, 2)
  expect(found.feasible.map((each) => each.name)).toEqual(['d', 'a'])
  expect(found.examined).toBe(2)
})

test('explains an empty cluster and a refusal as a whole', () => {
  expect(explainMisfit(0, [])).toBe('no nodes available to schedule pods')
  expect(explainMisfit(3, [], 'waiting for the rest of its group')).toBe('0/3 nodes are available: waiting for the rest of its group.')
})
