import { expect, test } from 'vitest'
import { amountOf, podRequests } from '../../src/snapshot/amounts.ts'
import { pod } from '../objects.ts'

test.each([
  ['cpu', '1', 1000],
  ['cpu', '250m', 250],
  ['cpu', '0.5', 500],
  ['cpu', '100u', 1],
  ['memory', '64Mi', 64 * 1024 * 1024],
  ['memory', '1G', 1e9],
  ['memory', '1500m', 2],
  ['pods', '110', 110],
])('%s %s is %d', (resource, quantity, amount) => {
  expect(amountOf(resource, quantity)).toBe(amount)
})

const container = (cpu: string, restartPolicy?: string) => ({
  name: cpu,
  resources: { requests: { cpu } },
  ...(restartPolicy && { restartPolicy }),
})

test('takes the larger of init containers one by one and containers together', () => {
  expect(
    podRequests(pod('p', { containers: [container('1'), container('1')], initContainers: [container('3'), container('500m')] })),
  ).toEqual({ cpu: 3000 })
  expect(podRequests(pod('p', { containers: [container('1'), container('1')], initContainers: [container('1500m')] }))).toEqual({
    cpu: 2000,
  })
})

test('adds sidecars to the containers and to the init containers that run beside them', () => {
  const containers = [container('1')]
  expect(podRequests(pod('p', { containers, initContainers: [container('1', 'Always'), container('3')] }))).toEqual({ cpu: 4000 })
  expect(podRequests(pod('p', { containers, initContainers: [container('3'), container('1', 'Always')] }))).toEqual({ cpu: 3000 })
})

test('adds the overhead, and lets requests of the pod replace those of its containers', () => {
  expect(podRequests(pod('p', { containers: [container('1')], overhead: { cpu: '100m', memory: '1Mi' } }))).toEqual({
    cpu: 1100,
    memory: 1048576,
  })
  expect(podRequests(pod('p', { containers: [container('1')], resources: { requests: { cpu: '2' } } }))).toEqual({ cpu: 2000 })
})
