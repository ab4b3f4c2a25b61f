import { expect, test } from 'vitest'
import { cacheOf, node, placed, pod } from '../objects.ts'

test('a snapshot does not change when the cluster does', () => {
  const cache = cacheOf([node('a')])
  const before = cache.snapshot()
  cache.setPod(placed('x', 'a', { cpu: '1' }))
  expect(before.node('a')?.requested.cpu ?? 0).toBe(0)
  expect(cache.snapshot().node('a')?.requested.cpu).toBe(1000)
  expect(cache.snapshot().generation).toBeGreaterThan(before.generation)
})

test('counts an assumed pod once, also after the API has confirmed it', () => {
  const cache = cacheOf([node('a')])
  const subject = pod('x', { cpu: '1' })
  cache.assume(subject, 'a')
  expect(cache.isAssumed(subject)).toBe(true)
  cache.setPod(placed('x', 'a', { cpu: '1' }))
  expect(cache.snapshot().node('a')?.requested.cpu).toBe(1000)
  cache.forget(subject)
  expect(cache.snapshot().node('a')?.requested.cpu).toBe(1000)
})

test('forgets an assumed pod whose binding failed', () => {
  const cache = cacheOf([node('a')])
  const subject = pod('x', { cpu: '1' })
  cache.assume(subject, 'a')
  cache.forget(subject)
  expect(cache.snapshot().node('a')).toMatchObject({ requested: { cpu: 0 }, pods: [] })
})

test('moves a pod that turned up on another node than was assumed', () => {
  const cache = cacheOf([node('a'), node('b')])
  cache.assume(pod('x'), 'a')
  cache.setPod(placed('x', 'b'))
  expect(cache.snapshot().nodes.map((each) => each.pods.length)).toEqual([0, 1])
})

test('keeps pods of nodes that are not there yet or no longer', () => {
  const cache = cacheOf([], [placed('x', 'a', { cpu: '1' })])
  expect(cache.snapshot().nodes).toEqual([])
  cache.setNode(node('a'))
  expect(cache.snapshot().node('a')?.requested.cpu).toBe(1000)
  cache.removeNode('a')
  expect(cache.snapshot().node('a')).toBeUndefined()
  cache.setNode(node('a'))
  expect(cache.snapshot().node('a')?.pods.length).toBe(1)
  cache.removePod(placed('x', 'a'))
  expect(cache.snapshot().node('a')?.pods.length).toBe(0)
})

test('frees host ports and counts of owners with their pod', () => {
  const ports = { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }], owner: 'rs' }
  const cache = cacheOf([node('a')], [placed('x', 'a', ports)])
  expect([...(cache.snapshot().node('a')?.usedPorts ?? [])]).toEqual(['TCP/0.0.0.0/80'])
  expect(cache.snapshot().ownedBy('rs').get('a')).toBe(1)
  cache.removePod(placed('x', 'a', ports))
  expect(cache.snapshot().node('a')?.usedPorts.size).toBe(0)
  expect(cache.snapshot().ownedBy('rs').size).toBe(0)
})
