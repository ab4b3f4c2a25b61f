import { PersistentVolume, PersistentVolumeClaim, Pod } from '@continuo/workload'
import { expect, it } from 'vitest'
import { storageProtection } from '../../src/index.ts'
import { createPod, eventually, startControlPlane } from '../control-plane.ts'

const key = (name: string) => ({ namespace: 'default', name })

it('keeps a claim until no pod on a node uses it', async () => {
  const plane = await startControlPlane({ protection: storageProtection })
  const claims = plane.client.for(PersistentVolumeClaim)
  const create = (name: string) =>
    claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    })
  expect((await create('used')).metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
  await create('free')
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'used' } }]
  await createPod(plane, 'user', { volumes, nodeName: 'n' })
  await createPod(plane, 'waiting', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'free' } }] })
  await claims.delete(key('used'))
  await claims.delete(key('free'))
  await eventually(async () =>
    expect((await claims.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name)).toEqual(['used']),
  )
  await plane.client.for(Pod).delete(key('user'), { gracePeriodSeconds: 0 })
  await eventually(async () => expect((await claims.list({ namespace: 'default' })).items).toEqual([]))
})

it('keeps a volume until it is bound no longer', async () => {
  const { client } = await startControlPlane({ protection: storageProtection })
  const volumes = client.for(PersistentVolume)
  const made = await volumes.create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'v' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/tmp' } },
  })
  expect(made.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
  const bound = await volumes.updateStatus({ ...made, status: { phase: 'Bound' } })
  await volumes.delete({ namespace: '', name: 'v' })
  const waiting = await volumes.get({ namespace: '', name: 'v' })
  expect(waiting.metadata.deletionTimestamp).toBeDefined()
  await volumes.updateStatus({ ...waiting, status: { ...bound.status, phase: 'Released' } })
  await eventually(async () => expect((await volumes.list()).items).toEqual([]))
})
