import type { Pod, PodDisruptionBudget } from '@continuo/workload'
import { expect, test } from 'vitest'
import { budgetStatus, budgetsOf, goesUnasked, podsOfBudget, unhealthyMayGo, withGranted } from '../../src/disruption/budget.ts'
import { at, ms } from '../objects.ts'

const now = ms(100)

const pod = (
  name: string,
  ready = true,
  more: Partial<Pod['metadata']> = {},
  phase: NonNullable<Pod['status']>['phase'] = 'Running',
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: 'web' }, ...more },
  status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})

const budget = (spec: PodDisruptionBudget['spec'], status?: PodDisruptionBudget['status']): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'default', generation: 3 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  ...(status && { status }),
})

const four = ['a', 'b', 'c', 'd'].map((name) => pod(name))
const allowed = (spec: PodDisruptionBudget['spec'], pods = four, wanted: number | 'unknown' = pods.length): number | undefined =>
  budgetStatus(budget(spec), pods, wanted === 'unknown' ? undefined : wanted, now).disruptionsAllowed

test('allows as many as stand above the least number or share, rounded up', () => {
  expect(allowed({ minAvailable: 1 })).toBe(3)
  expect(allowed({ minAvailable: 4 })).toBe(0)
  expect(allowed({ minAvailable: '60%' })).toBe(1)
  expect(allowed({ maxUnavailable: 1 })).toBe(1)
  expect(allowed({ maxUnavailable: '30%' })).toBe(2)
  expect(budgetStatus(budget({ minAvailable: 1 }), four, 4, now)).toEqual({
    currentHealthy: 4,
    desiredHealthy: 1,
    disruptionsAllowed: 3,
    expectedPods: 4,
    observedGeneration: 3,
  })
})

test('counts neither pods that are not ready nor those that go', () => {
  expect(allowed({ minAvailable: 1 }, [pod('a'), pod('b', false), pod('c', true, { deletionTimestamp: at(1) })])).toBe(0)
  expect(allowed({ minAvailable: 1 }, [])).toBe(0)
})

test('allows nothing by share where nobody says how many pods there shall be', () => {
  expect(allowed({ maxUnavailable: 2 }, four, 'unknown')).toBe(0)
  expect(allowed({ minAvailable: 2 }, four, 'unknown')).toBe(2)
})

test('a granted eviction counts until its pod goes, or for two minutes', () => {
  const status = withGranted(budgetStatus(budget({ minAvailable: 3 }), four, 4, now), 'a', now)
  expect(status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { a: at(100) } })
  const after = budget({ minAvailable: 3 }, status)
  expect(budgetStatus(after, four, 4, now + 1_000)).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 0 })
  expect(budgetStatus(after, four, 4, now + 121_000)).toMatchObject({ currentHealthy: 4, disruptionsAllowed: 1 })
  expect(budgetStatus(after, four.slice(1), 4, now)).not.toHaveProperty('disruptedPods')
})

test('a budget holds the pods of its selector; none without one', () => {
  const other = budget({ selector: { matchLabels: { app: 'other' } } })
  const none = budget({ selector: undefined })
  expect(budgetsOf([budget({}), other, none], pod('a'))).toEqual([budget({})])
  expect(podsOfBudget(budget({}), [pod('a'), pod('b', true, { labels: {} }), pod('c', true, {}, 'Failed')])).toEqual([pod('a')])
  expect(podsOfBudget(none, four)).toEqual([])
})

test('pods that do not serve go without asking; those that are not ready as the policy says', () => {
  expect((['Pending', 'Running', 'Succeeded', 'Failed'] as const).map((phase) => goesUnasked(pod('a', true, {}, phase)))).toEqual([
    true,
    false,
    true,
    true,
  ])
  const status = budgetStatus(budget({ minAvailable: 3 }), four.slice(1), 3, now)
  expect(unhealthyMayGo(budget({ minAvailable: 3 }), status)).toBe(true)
  expect(unhealthyMayGo(budget({ minAvailable: 4 }), { ...status, desiredHealthy: 4 })).toBe(false)
  expect(unhealthyMayGo(budget({ minAvailable: 4, unhealthyPodEvictionPolicy: 'AlwaysAllow' }), { ...status, desiredHealthy: 4 })).toBe(
    true,
  )
})
