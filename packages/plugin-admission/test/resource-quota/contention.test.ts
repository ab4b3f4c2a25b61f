import { ResourceQuota } from '@continuo/workload'
import { expect, it } from 'vitest'
import { resourceQuota } from '../../src/index.ts'
import { createPod, createQuota, startControlPlane, usedOf } from '../control-plane.ts'

it('lets exactly as many of 64 concurrent pods through as the quota allows', async () => {
  const plane = await startControlPlane({ quota: resourceQuota })
  await createQuota(plane, 'q', { pods: '40' })
  const outcomes = await Promise.allSettled(Array.from({ length: 64 }, (_, index) => createPod(plane, `p${index}`)))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => (outcome.reason as Error).message)
  expect(
    refused.filter(
      (message) => !/^pods "p\d+" is forbidden: exceeded quota: q, requested: pods=1, used: pods=40, limited: pods=40$/.test(message),
    ),
  ).toEqual([])
  expect(refused).toHaveLength(24)
  expect(await usedOf(plane, 'q')).toEqual({ pods: '40' })
})

it('counts 300 concurrent pods in three quotas without losing one', async () => {
  const plane = await startControlPlane({ quota: resourceQuota })
  await createQuota(plane, 'pods', { pods: '1000' })
  await createQuota(plane, 'count', { 'count/pods': '1000' })
  await createQuota(plane, 'cpu', { 'requests.cpu': '1000' })
  const spec = { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '10m' } } }] }
  await Promise.all(Array.from({ length: 300 }, (_, index) => createPod(plane, `p${index}`, spec)))
  expect(await usedOf(plane, 'pods')).toEqual({ pods: '300' })
  expect(await usedOf(plane, 'count')).toEqual({ 'count/pods': '300' })
  expect(await usedOf(plane, 'cpu')).toEqual({ 'requests.cpu': '3' })
  expect((await plane.client.for(ResourceQuota).list({ namespace: 'default' })).items).toHaveLength(3)
})

it('lets everybody through while new ones keep coming', async () => {
  const plane = await startControlPlane({ quota: resourceQuota })
  await createQuota(plane, 'q', { pods: '2000' })
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < 2000; index = next++) await createPod(plane, `p${index}`)
  }
  await Promise.all(Array.from({ length: 64 }, work))
  expect(await usedOf(plane, 'q')).toEqual({ pods: '2k' })
})
