import { expect, test } from 'vitest'
import { SchedulingQueue } from '../../src/queue/scheduling-queue.ts'
import { node, placed, pod } from '../objects.ts'

const cpu = new Set(['NodeResourcesFit'])
const names = (queue: SchedulingQueue): string[] => {
  const popped: string[] = []
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) popped.push(next.pod.metadata.name)
  return popped
}

test('gives higher priority first, then the older one', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('old'), 1)
  queue.set(pod('new'), 2)
  queue.set(pod('urgent', { priority: 10 }), 3)
  expect(names(queue)).toEqual(['urgent', 'old', 'new'])
})

test('does not give a pod that was deleted or is in flight', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 1)
  queue.set(pod('b'), 1)
  queue.delete('default/a')
  expect(names(queue)).toEqual(['b'])
  queue.set(pod('b'), 2)
  expect(names(queue)).toEqual([])
})

test('keeps an unschedulable pod until an event may help it', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a', { cpu: '1' }), 0)
  const { key } = queue.pop()!
  queue.retry(key, 0, cpu)
  queue.happened({ type: 'pod-placed', pod: placed('x', 'n') }, 60_000)
  expect(names(queue)).toEqual([])
  queue.happened({ type: 'pod-freed', pod: placed('x', 'n') }, 60_000)
  expect(names(queue)).toEqual(['a'])
})

test('makes a helped pod wait for its back-off, which doubles up to the maximum', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  for (const [attempt, backoff] of [1000, 2000, 4000, 8000, 10_000, 10_000].entries()) {
    const now = attempt * 100_000
    const { key } = queue.pop()!
    queue.retry(key, now, cpu)
    queue.happened({ type: 'pod-freed', pod: placed('x', 'n') }, now)
    expect(queue.wake(now + backoff - 1)).toBe(1)
    expect(queue.counts().backoff).toBe(1)
    queue.wake(now + backoff)
    expect(queue.counts().active).toBe(1)
  }
})

test('does not lose an event that came during the attempt', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  const { key } = queue.pop()!
  queue.happened({ type: 'node-added', node: node('n') }, 0)
  queue.retry(key, 0, cpu)
  expect(queue.counts()).toMatchObject({ backoff: 1, unschedulable: 0 })
})

test('tries an unschedulable pod again after five minutes, and at once when it was changed itself', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  queue.retry(queue.pop()!.key, 0, cpu)
  expect(queue.wake(299_999)).toBe(1)
  queue.wake(300_000)
  queue.retry(queue.pop()!.key, 300_000, cpu)
  queue.set({ ...pod('a'), status: { phase: 'Pending', conditions: [] } }, 400_000)
  expect(queue.counts().unschedulable).toBe(1)
  queue.set(pod('a', { nodeSelector: { a: 'b' } }), 400_000)
  expect(queue.counts().active).toBe(1)
})

test('backs off after an error without waiting for an event', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  queue.retry(queue.pop()!.key, 0)
  expect(queue.counts().backoff).toBe(1)
})

test('queues the pod that replaced one that was in flight', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  const first = queue.pop()!
  const uid = first.pod.metadata.uid
  const next = pod('a')
  next.metadata.uid = 'another'
  queue.delete(first.key)
  queue.set(next, 1)
  queue.done(first.key, uid)
  expect(queue.pop()?.pod.metadata.uid).toBe('another')
})

test('wakes a pod rejected for taints only when a node loses them', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  queue.retry(queue.pop()!.key, 0, new Set(['TaintToleration']))
  const tainted = node('n', { taints: [{ key: 'k', effect: 'NoSchedule' }] })
  queue.happened({ type: 'pod-freed', pod: placed('x', 'n') }, 60_000)
  queue.happened({ type: 'node-updated', node: { ...tainted, metadata: { name: 'n', labels: { new: 'label' } } }, old: tainted }, 60_000)
  expect(queue.counts().unschedulable).toBe(1)
  queue.happened({ type: 'node-updated', node: node('n'), old: tainted }, 60_000)
  expect(queue.counts().active).toBe(1)
})

test('tries pods that an unknown rule rejected at any event', () => {
  const queue = new SchedulingQueue()
  queue.set(pod('a'), 0)
  queue.retry(queue.pop()!.key, 0, new Set(['my-rule']))
  queue.happened({ type: 'pod-placed', pod: placed('x', 'n') }, 60_000)
  expect(queue.counts().active).toBe(1)
})
