import type { ReplicaSet } from '@continuo/workload'
import { expect, test } from 'vitest'
import { resizeNew, shrinkOld } from '../../src/deployment/rolling-update.ts'
import { fenceposts, totalOf, totalReplicas } from '../../src/deployment/views.ts'
import { deploymentOf, setOf } from '../objects.ts'

const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } },
})

test.each([
  [10, '25%', '25%', 3, 2],
  [4, '25%', '25%', 1, 1],
  [1, '25%', '25%', 1, 0],
  [3, 0, 0, 0, 1],
  [3, 0, '30%', 0, 1],
  [10, '0%', '0%', 0, 1],
  [0, '25%', '25%', 0, 0],
  [5, '100%', 9, 5, 5],
])('%d replicas with surge %s and unavailable %s give %d and %d', (replicas, surge, unavailable, maxSurge, maxUnavailable) => {
  expect(fenceposts(deploymentOf(replicas, rolling(surge, unavailable)))).toEqual({ maxSurge, maxUnavailable })
})

test.each([
  [10, 10, 0, '25%', 3],
  [10, 12, 0, '25%', 1],
  [10, 13, 0, '25%', undefined],
  [10, 0, 4, '0', 10],
])('of %d wanted, with %d old and %d new at surge %s, the new set grows to %s', (replicas, old, current, surge, grown) => {
  const set = setOf('v2', current)
  const deployment = deploymentOf(replicas, rolling(surge === '0' ? 0 : surge, 1))
  expect(resizeNew(deployment, set, [setOf('v1', old), set])?.replicas).toBe(grown)
})

test('shrinks a new set that is larger than the wish', () => {
  const set = setOf('v2', 7)
  expect(resizeNew(deploymentOf(5), set, [set])?.replicas).toBe(5)
})

test('removes unhealthy old pods first, whichever set they are in', () => {
  const healthy = setOf('v1', 5, { created: 0 })
  const sick = setOf('v2', 5, { created: 10, available: 0 })
  const current = setOf('v3', 2, { available: 2, created: 20 })
  const resized = shrinkOld(deploymentOf(10, rolling(2, 2)), current, [healthy, sick])
  expect(resized.map(({ set, replicas }) => [set.metadata.name, replicas])).toEqual([['v2', 1]])
})

test('removes not even unhealthy old pods while the new ones are not available', () => {
  const current = setOf('v2', 5, { available: 0, created: 10 })
  const old = [setOf('v1', 8, { available: 5 })]
  expect(shrinkOld(deploymentOf(10, rolling(3, 2)), current, old)).toEqual([])
})

test('removes healthy old pods oldest set first, only as far as enough stay available', () => {
  const current = setOf('v3', 3, { available: 3 })
  const old = [setOf('v2', 5, { created: 10 }), setOf('v1', 5, { created: 0 })]
  const resized = shrinkOld(deploymentOf(10, rolling(3, 2)), current, old)
  expect(resized.map(({ set, replicas }) => [set.metadata.name, replicas])).toEqual([['v1', 0]])
})

test('a rollout whose new pods never become ready stops at its surge limit', () => {
  const deployment = deploymentOf(10, rolling('25%', '25%'))
  const end = simulate(deployment, [setOf('v1', 10)], setOf('v2', 0), () => 0)
  expect([end.current.spec?.replicas, end.old[0]?.spec?.replicas]).toEqual([5, 8])
})

test.each([
  [10, '25%', '25%'],
  [1, '25%', '25%'],
  [3, 1, 0],
  [3, 0, 1],
  [7, '100%', '100%'],
  [10, 1, 1],
])('a rollout of %d replicas with surge %s and unavailable %s ends, within its limits at each step', (replicas, surge, unavailable) => {
  const deployment = deploymentOf(replicas, rolling(surge, unavailable))
  const { maxSurge, maxUnavailable } = fenceposts(deployment)
  const end = simulate(
    deployment,
    [setOf('v1', replicas)],
    setOf('v2', 0),
    (wanted) => wanted,
    (all) => {
      expect(totalReplicas(all)).toBeLessThanOrEqual(replicas + maxSurge)
      expect(totalOf(all, 'availableReplicas')).toBeGreaterThanOrEqual(replicas - maxUnavailable)
    },
  )
  expect([end.current.spec?.replicas, totalReplicas(end.old)]).toEqual([replicas, 0])
})

/** Plays the two halves of a step until nothing changes; new pods become available after each step, as `available` says. */
function simulate(
  deployment: ReturnType<typeof deploymentOf>,
  old: ReplicaSet[],
  current: ReplicaSet,
  available: (wanted: number) => number,
  check: (all: ReplicaSet[]) => void = () => {},
) {
  for (let step = 0; step < 100; step++) {
    const grown = resizeNew(deployment, current, [...old, current])
    if (grown !== undefined) current.spec!.replicas = grown.replicas
    const shrunk = grown === undefined ? shrinkOld(deployment, current, old) : []
    for (const { set, replicas } of shrunk) {
      const target = old.find((each) => each === set)!
      target.spec!.replicas = replicas
      target.status = { ...target.status!, availableReplicas: replicas, replicas }
    }
    check([...old, current])
    if (grown === undefined && shrunk.length === 0) return { old, current }
    current.status = { ...current.status!, availableReplicas: available(current.spec!.replicas!), replicas: current.spec!.replicas! }
  }
  throw new TypeError('the rollout does not end')
}
