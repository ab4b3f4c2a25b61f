import type { ReplicaSet } from '@continuo/workload'
import { expect, test } from 'vitest'
import { annotations } from '../../src/deployment/revision.ts'
import { isScalingEvent, scaleSets } from '../../src/deployment/scaling.ts'
import { deploymentOf, setOf } from '../objects.ts'

const sized = (name: string, replicas: number, wanted: number, maximum: number, created = 0): ReplicaSet =>
  setOf(name, replicas, { created, annotations: { [annotations.desired]: String(wanted), [annotations.maximum]: String(maximum) } })
const rolling = { strategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }
const sizes = (resizes: ReturnType<typeof scaleSets>): Record<string, number> =>
  Object.fromEntries(resizes.map(({ set, replicas }) => [set.metadata.name, replicas]))

test('notices a change of the wish by what active sets note', () => {
  expect(isScalingEvent(deploymentOf(10), [sized('v1', 10, 10, 13)])).toBe(false)
  expect(isScalingEvent(deploymentOf(15), [sized('v1', 10, 10, 13)])).toBe(true)
  expect(isScalingEvent(deploymentOf(15), [sized('v1', 0, 10, 13)])).toBe(false)
})

test('a single active set follows the wish', () => {
  expect(sizes(scaleSets(deploymentOf(7), sized('v1', 3, 3, 4), [sized('v0', 0, 3, 4)]))).toEqual({ v1: 7 })
})

test('of no active set, the current one follows, else the latest old one', () => {
  expect(sizes(scaleSets(deploymentOf(2), sized('v1', 0, 0, 0), []))).toEqual({ v1: 2 })
  expect(sizes(scaleSets(deploymentOf(2), undefined, [sized('a', 0, 0, 0, 1), sized('b', 0, 0, 0, 5)]))).toEqual({ b: 2 })
})

test('shares growth in proportion in the middle of a rollout', () => {
  // The example of Kubernetes' documentation: 10 replicas, surge 3, unavailable 2; 8 old and 5 new pods; scaled to 15.
  const deployment = deploymentOf(15, rolling)
  expect(sizes(scaleSets(deployment, sized('new', 5, 10, 13, 10), [sized('old', 8, 10, 13, 0)]))).toEqual({ old: 11, new: 7 })
})

test('shares shrinking in proportion, and the sum is what is allowed', () => {
  const result = sizes(scaleSets(deploymentOf(5, rolling), sized('new', 5, 10, 13, 10), [sized('old', 8, 10, 13, 0)]))
  expect(Object.values(result).reduce((a, b) => a + b)).toBe(8)
  expect(result).toEqual({ old: 5, new: 3 })
})

test('scales everything to nothing', () => {
  expect(sizes(scaleSets(deploymentOf(0, rolling), sized('new', 5, 10, 13), [sized('old', 8, 10, 13)]))).toEqual({ old: 0, new: 0 })
})

test('removes the old sets at once when the new one is complete', () => {
  expect(sizes(scaleSets(deploymentOf(10, rolling), sized('new', 10, 10, 13), [sized('old', 2, 10, 13)]))).toEqual({ old: 0 })
})
