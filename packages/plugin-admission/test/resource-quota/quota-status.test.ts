import { ConfigMap, Pod, ResourceQuota, Service } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { quotaStatus, resourceQuota } from '../../src/index.ts'
import { type ControlPlane, createPod, createQuota, eventually, startControlPlane, usedOf } from '../control-plane.ts'

const start = (): Promise<ControlPlane> => startControlPlane({ quota: resourceQuota, status: quotaStatus })
const key = (name: string) => ({ namespace: 'default', name })

describe('the status of a quota', () => {
  it('says what is allowed and used as soon as the quota is there', async () => {
    const plane = await start()
    await createPod(plane, 'a')
    await createQuota(plane, 'q', { pods: '5', 'requests.cpu': '2', 'count/nothings.demo.io': '1', configmaps: '9' })
    await eventually(async () => {
      expect((await plane.client.for(ResourceQuota).get(key('q'))).status).toEqual({
        hard: { pods: '5', 'requests.cpu': '2', 'count/nothings.demo.io': '1', configmaps: '9' },
        used: { pods: '1', 'requests.cpu': '0', 'count/nothings.demo.io': '0', configmaps: '0' },
      })
    })
  })

  it('falls when objects go or end, and follows changes of the quota', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { pods: '2', configmaps: '1', 'services.nodeports': '1' })
    await createPod(plane, 'a')
    const b = await createPod(plane, 'b')
    await plane.client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } })
    const service = await plane.client.for(Service).create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', namespace: 'default' },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    })
    await eventually(async () => expect(await usedOf(plane, 'q')).toEqual({ pods: '2', configmaps: '1', 'services.nodeports': '1' }))
    await plane.client.for(Pod).delete(key('a'))
    await eventually(async () => expect(await usedOf(plane, 'q')).toMatchObject({ pods: '1' }))
    await plane.client.for(Pod).updateStatus({ ...b, status: { ...b.status, phase: 'Failed' } })
    await eventually(async () => expect(await usedOf(plane, 'q')).toMatchObject({ pods: '0' }))
    await plane.client.for(ConfigMap).delete(key('a'))
    await plane.client.for(Service).update({ ...service, spec: { type: 'ClusterIP', ports: [{ port: 80 }] } })
    await eventually(async () => expect(await usedOf(plane, 'q')).toEqual({ pods: '0', configmaps: '0', 'services.nodeports': '0' }))
    await plane.client.for(ResourceQuota).patch(key('q'), { type: 'merge', body: { spec: { hard: { pods: '7', configmaps: null } } } })
    await eventually(async () =>
      expect((await plane.client.for(ResourceQuota).get(key('q'))).status).toEqual({
        hard: { pods: '7', 'services.nodeports': '1' },
        used: { pods: '0', 'services.nodeports': '0' },
      }),
    )
  })

  it('is right after creates and deletes at the same time', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { pods: '30' })
    const churn = async (index: number): Promise<void> => {
      for (let round = 0; round < 4; round++) {
        await eventually(() => createPod(plane, `p${index}-${round}`))
        if (round < 3) await plane.client.for(Pod).delete(key(`p${index}-${round}`))
        const { items } = await plane.client.for(Pod).list({ namespace: 'default' })
        expect(items.length).toBeLessThanOrEqual(30)
      }
    }
    await Promise.all(Array.from({ length: 24 }, (_, index) => churn(index)))
    await eventually(async () => expect(await usedOf(plane, 'q')).toEqual({ pods: '24' }))
  })
})
