import { Ingress, IngressClass, Node, PersistentVolumeClaim, Service, StorageClass } from '@continuo/workload'
import { expect, it } from 'vitest'
import { newestDefault } from '../../src/defaults/newest-default.ts'
import {
  alwaysPullImages,
  defaultIngressClass,
  defaultStorageClass,
  denyServiceExternalIPs,
  extendedResourceToleration,
  taintNodesByCondition,
} from '../../src/index.ts'
import { createPod, startControlPlane } from '../control-plane.ts'

const marked = (mark: string) => ({ annotations: { [mark]: 'true' } })

it('gives claims without a class the default storage class', async () => {
  const { client } = await startControlPlane({ defaults: defaultStorageClass })
  const create = async (name: string, storageClassName?: string) =>
    (
      await client.for(PersistentVolumeClaim).create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace: 'default' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          ...(storageClassName === undefined ? {} : { storageClassName }),
        },
      })
    ).spec?.storageClassName
  expect(await create('before')).toBeUndefined()
  for (const [name, metadata] of [
    ['slow', {}],
    ['fast', marked('storageclass.kubernetes.io/is-default-class')],
  ] as const)
    await client
      .for(StorageClass)
      .create({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name, ...metadata }, provisioner: 'p' })
  expect(await create('silent')).toBe('fast')
  expect(await create('none', '')).toBe('')
  expect(await create('named', 'slow')).toBe('slow')
})

it('gives ingresses without a class the default one', async () => {
  const { client } = await startControlPlane({ defaults: defaultIngressClass })
  await client.for(IngressClass).create({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'web', ...marked('ingressclass.kubernetes.io/is-default-class') },
    spec: { controller: 'example.com/web' },
  })
  const create = async (name: string, annotations = {}) =>
    (
      await client.for(Ingress).create({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name, namespace: 'default', annotations },
        spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
      })
    ).spec?.ingressClassName
  expect(await create('a')).toBe('web')
  expect(await create('b', { 'kubernetes.io/ingress.class': 'other' })).toBeUndefined()
})

it('takes the newest of several defaults, and of equally new ones the first by name', () => {
  const of = (name: string, creationTimestamp: string) => ({
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name, creationTimestamp, ...marked('m') },
  })
  const [old, b, a] = [of('old', '2020-01-01T00:00:00Z'), of('b', '2021-01-01T00:00:00Z'), of('a', '2021-01-01T00:00:00Z')]
  expect(newestDefault([old, b, a], 'm')?.metadata.name).toBe('a')
  expect(newestDefault([old], 'other')).toBeUndefined()
})

it('lets pods that ask for an extended resource onto its nodes', async () => {
  const plane = await startControlPlane({ tolerate: extendedResourceToleration })
  const requests = { 'example.com/gpu': '1', cpu: '1' }
  const { spec } = await createPod(plane, 'web', { containers: [{ name: 'c', image: 'x', resources: { requests, limits: requests } }] })
  expect(spec?.tolerations).toEqual([{ key: 'example.com/gpu', operator: 'Exists' }])
})

it('taints new nodes until they are known to be ready', async () => {
  const { client } = await startControlPlane({ taint: taintNodesByCondition })
  const node = await client.for(Node).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
  expect(node.spec?.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
})

it('makes pods pull their images anew', async () => {
  const plane = await startControlPlane({ pull: alwaysPullImages })
  const { spec } = await createPod(plane, 'web', {
    containers: [{ name: 'c', image: 'x:1', imagePullPolicy: 'Never' }],
    initContainers: [{ name: 'i', image: 'x:1' }],
  })
  expect([...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ imagePullPolicy }) => imagePullPolicy)).toEqual([
    'Always',
    'Always',
  ])
})

it('refuses new external addresses of services', async () => {
  const { client } = await startControlPlane({ deny: denyServiceExternalIPs })
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default' },
    spec: { ports: [{ port: 80 }], externalIPs: ['1.2.3.4'] },
  }
  await expect(client.for(Service).create(service)).rejects.toThrow(
    'services "s" is forbidden: Use of external IPs is denied by admission control',
  )
})
