import type { ObjectClient } from '@continuo/core'
import { eventually, type SplitCluster, startSplitCluster } from '@continuo/testkit'
import { Pod, PodDisruptionBudget } from '@continuo/workload'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { disruption } from '../../src/index.ts'

let cluster: SplitCluster
let client: ObjectClient

beforeEach(async () => {
  cluster = await startSplitCluster({ admission: { disruption }, controllers: {} })
  client = cluster.client
  await client.for(PodDisruptionBudget).create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'budget', namespace: 'default' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } },
  })
})

afterEach(() => cluster[Symbol.asyncDispose]())

const running = async (name: string): Promise<void> => {
  const pod = await client.for(Pod).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'web' } },
    spec: { nodeName: 'n', containers: [{ name: 'main', image: 'v1' }] },
  })
  await client.for(Pod).updateStatus({ ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } })
}

const evict = (name: string) =>
  client
    .for(Pod)
    .subresource('eviction')
    .create(`default/${name}`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } })

const allowed = async (): Promise<number | undefined> =>
  (await client.for(PodDisruptionBudget).get('default/budget')).status?.disruptionsAllowed

test('evictions at once take together no more than the budget has', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await running(name)
  await eventually(async () => (await allowed()) === 2, 'two may go')
  const answers = await Promise.allSettled(['a', 'b', 'c', 'd'].map(evict))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  for (const answer of answers)
    if (answer.status === 'rejected')
      expect(answer.reason).toMatchObject({ status: 429, details: { causes: [{ reason: 'DisruptionBudget' }] } })
  const pods = (await client.for(Pod).list({ namespace: 'default' })).items
  expect(pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toHaveLength(2)
  await eventually(async () => (await allowed()) === 0, 'none may go')
})

test('a pod without a budget goes, one that is absent is 404, and a name that is another is 400', async () => {
  await client.for(PodDisruptionBudget).delete('default/budget')
  await running('a')
  await eventually(async () => (await client.for(PodDisruptionBudget).list()).items.length === 0, 'the budget is gone')
  expect(await evict('a')).toMatchObject({ kind: 'Status', status: 'Success' })
  expect((await client.for(Pod).get('default/a')).metadata.deletionTimestamp).toBeDefined()
  await expect(evict('none')).rejects.toMatchObject({ status: 404 })
  const wrong = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b', namespace: 'default' } }
  await expect(client.for(Pod).subresource('eviction').create('default/a', wrong)).rejects.toMatchObject({ status: 400 })
})
