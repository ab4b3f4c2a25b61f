import { type AnyPlugin, CustomResourceDefinition, type KubeObject, kind } from '@continuo/core'
import { ConfigMap, PersistentVolumeClaim, Pod, type PodSpec, type ResourceQuota, Secret, Service } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { resourceQuota } from '../../src/index.ts'
import { type ControlPlane, createPod, createQuota, eventually, pod, startControlPlane, usedOf } from '../control-plane.ts'

const start = (): Promise<ControlPlane> => startControlPlane({ quota: resourceQuota as AnyPlugin })
const asks = (requests: Record<string, string>, limits: Record<string, string> = {}): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'x', resources: { requests, limits } }],
})
const service = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ port: 80 }], ...spec },
})
const claim = (name: string, storage: string, more: Partial<NonNullable<PersistentVolumeClaim['spec']>> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more },
})

describe('a quota of pods', () => {
  it('is told in the words of Kubernetes when it is exceeded', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { pods: '2', 'requests.cpu': '1' })
    await createPod(plane, 'a', asks({ cpu: '100m' }))
    await createPod(plane, 'b', asks({ cpu: '200m' }))
    await expect(createPod(plane, 'c', asks({ cpu: '1' }))).rejects.toMatchObject({
      reason: 'Forbidden',
      status: 403,
      message:
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=1, used: pods=2,requests.cpu=300m, limited: pods=2,requests.cpu=1',
    })
    expect(await usedOf(plane, 'q')).toEqual({ pods: '2', 'requests.cpu': '300m' })
  })

  it('wants pods to say what it limits', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { 'limits.cpu': '2', 'requests.memory': '1Gi', 'requests.ephemeral-storage': '1Gi' })
    const spec = {
      containers: [
        { name: 'b', image: 'x' },
        { name: 'a', image: 'x', resources: { limits: { cpu: '1' } } },
      ],
    }
    await expect(createPod(plane, 'web', spec)).rejects.toThrow(
      'pods "web" is forbidden: failed quota: q: must specify limits.cpu for: b; requests.memory for: a,b',
    )
  })

  it.each<[string, Record<string, string>, Partial<PodSpec>, Record<string, string>]>([
    [
      'limits',
      { 'limits.cpu': '9', 'limits.memory': '9Gi', 'limits.ephemeral-storage': '9Gi' },
      asks({}, { cpu: '1', memory: '1Gi', 'ephemeral-storage': '2Gi' }),
      { 'limits.cpu': '1', 'limits.memory': '1Gi', 'limits.ephemeral-storage': '2Gi' },
    ],
    [
      'requests by their bare names',
      { cpu: '9', memory: '9Gi', 'ephemeral-storage': '9Gi' },
      asks({ cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' }),
      { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' },
    ],
    [
      'huge pages',
      { 'hugepages-2Mi': '9Gi', 'requests.hugepages-2Mi': '9Gi' },
      asks({ 'hugepages-2Mi': '4Mi', cpu: '1' }, { 'hugepages-2Mi': '4Mi' }),
      { 'hugepages-2Mi': '4Mi', 'requests.hugepages-2Mi': '4Mi' },
    ],
    [
      'extended resources',
      { 'requests.example.com/gpu': '9' },
      asks({ 'example.com/gpu': '2' }, { 'example.com/gpu': '2' }),
      { 'requests.example.com/gpu': '2' },
    ],
    ['objects of any kind', { 'count/pods': '9' }, {}, { 'count/pods': '1' }],
  ])('counts %s', async (_name, hard, spec, used) => {
    const plane = await start()
    await createQuota(plane, 'q', hard)
    await createPod(plane, 'web', spec)
    expect(await usedOf(plane, 'q')).toEqual(used)
  })

  it('counts an init container only where it needs more than all others, and overhead', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { 'requests.cpu': '9' })
    const of = (cpu: string) => ({ image: 'x', resources: { requests: { cpu } } })
    await createPod(plane, 'web', {
      containers: [
        { name: 'a', ...of('1') },
        { name: 'b', ...of('1') },
      ],
      initContainers: [
        { name: 's', restartPolicy: 'Always', ...of('500m') },
        { name: 'i', ...of('1') },
      ],
      overhead: { cpu: '100m' },
    })
    expect(await usedOf(plane, 'q')).toEqual({ 'requests.cpu': '2600m' })
  })

  it('adds up what was there before it', async () => {
    const plane = await start()
    await createPod(plane, 'a')
    const ended = await createPod(plane, 'ended')
    await plane.client.for(Pod).updateStatus({ ...ended, status: { ...ended.status, phase: 'Succeeded' } })
    await createQuota(plane, 'q', { pods: '2', 'count/pods': '10' })
    await createPod(plane, 'b')
    expect(await usedOf(plane, 'q')).toEqual({ pods: '2', 'count/pods': '3' })
    await expect(createPod(plane, 'c')).rejects.toThrow('exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2')
  })

  it('is not charged by a dry run or by what is refused', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { pods: '1' })
    await plane.client.for(Pod).create(pod('dry'), { dryRun: true })
    await expect(createPod(plane, 'bad', { containers: [] })).rejects.toMatchObject({ reason: 'Invalid' })
    await createPod(plane, 'real')
    await expect(createPod(plane, 'real')).rejects.toMatchObject({ reason: 'Forbidden' })
    await expect(plane.client.for(Pod).create(pod('dry'), { dryRun: true })).rejects.toThrow('exceeded quota: q')
    expect(await usedOf(plane, 'q')).toEqual({ pods: '1' })
  })

  it('is charged for a resize by what it adds', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { 'requests.cpu': '1' })
    const made = await createPod(plane, 'web', asks({ cpu: '400m' }))
    const resize = (cpu: string) =>
      plane.client
        .for(Pod)
        .subresource<Pod>('resize')
        .patch({ namespace: 'default', name: 'web' }, {
          type: 'strategic',
          body: { spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }] } },
        } as never)
    expect(made.spec?.containers[0]?.resources?.requests?.cpu).toBe('400m')
    await resize('900m')
    expect(await usedOf(plane, 'q')).toEqual({ 'requests.cpu': '900m' })
    await expect(resize('2')).rejects.toThrow(
      'exceeded quota: q, requested: requests.cpu=1100m, used: requests.cpu=900m, limited: requests.cpu=1',
    )
  })
})

describe('scopes', () => {
  it.each<[string, Partial<NonNullable<ResourceQuota['spec']>>, Partial<PodSpec>, boolean]>([
    ['Terminating', { scopes: ['Terminating'] }, { activeDeadlineSeconds: 5 }, true],
    ['Terminating', { scopes: ['Terminating'] }, {}, false],
    ['NotTerminating', { scopes: ['NotTerminating'] }, {}, true],
    ['BestEffort', { scopes: ['BestEffort'] }, {}, true],
    ['BestEffort', { scopes: ['BestEffort'] }, asks({ cpu: '1' }), false],
    ['NotBestEffort', { scopes: ['NotBestEffort'] }, asks({ cpu: '1' }), true],
    ['both of two', { scopes: ['NotBestEffort', 'Terminating'] }, asks({ cpu: '1' }), false],
    [
      'PriorityClass In',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { priorityClassName: 'high' },
      true,
    ],
    [
      'PriorityClass In',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { priorityClassName: 'low' },
      false,
    ],
    [
      'PriorityClass NotIn',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['high'] }] } },
      {},
      true,
    ],
    ['PriorityClass Exists', { scopes: ['PriorityClass'] }, {}, false],
    [
      'PriorityClass DoesNotExist',
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } },
      {},
      true,
    ],
    [
      'CrossNamespacePodAffinity',
      { scopes: ['CrossNamespacePodAffinity'] },
      {
        affinity: {
          podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'k', namespaces: ['n'], labelSelector: {} }] },
        },
      },
      true,
    ],
    ['CrossNamespacePodAffinity', { scopes: ['CrossNamespacePodAffinity'] }, {}, false],
  ])('%s', async (_name, spec, podSpec, counts) => {
    const plane = await start()
    await createQuota(plane, 'q', { pods: '0' }, spec)
    const outcome = await createPod(plane, 'web', podSpec).then(
      () => 'created',
      (error: Error) => error.message,
    )
    expect(outcome).toBe(
      counts ? 'pods "web" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0' : 'created',
    )
  })

  it('know the attributes class of claims', async () => {
    const plane = await start()
    await createQuota(
      plane,
      'q',
      { persistentvolumeclaims: '0' },
      { scopeSelector: { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['gold'] }] } },
    )
    await plane.client.for(PersistentVolumeClaim).create(claim('a', '1Gi'))
    await expect(plane.client.for(PersistentVolumeClaim).create(claim('b', '1Gi', { volumeAttributesClassName: 'gold' }))).rejects.toThrow(
      'exceeded quota: q',
    )
  })
})

describe('other objects', () => {
  it('count by their bare names and by count/', async () => {
    const plane = await start()
    const hard = { configmaps: '2', secrets: '2', resourcequotas: '3', 'count/configmaps': '2', 'count/secrets': '2' }
    await createQuota(plane, 'q', hard)
    await plane.client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } })
    await plane.client.for(Secret).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'default' } })
    await createQuota(plane, 'another', {})
    expect(await usedOf(plane, 'q')).toEqual({
      configmaps: '1',
      secrets: '1',
      resourcequotas: '2',
      'count/configmaps': '1',
      'count/secrets': '1',
    })
    await plane.client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b', namespace: 'default' } })
    await expect(
      plane.client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' } }),
    ).rejects.toThrow(
      'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1,count/configmaps=1, used: configmaps=2,count/configmaps=2, limited: configmaps=2,count/configmaps=2',
    )
  })

  it('count services by what they ask for, also when that changes', async () => {
    const plane = await start()
    await createQuota(plane, 'q', { services: '5', 'services.nodeports': '2', 'services.loadbalancers': '1' })
    const services = plane.client.for(Service)
    const made = await services.create(service('a', { type: 'ClusterIP' }))
    expect(await usedOf(plane, 'q')).toEqual({ services: '1', 'services.nodeports': '0', 'services.loadbalancers': '0' })
    await services.update({ ...made, spec: { ...made.spec, type: 'NodePort' } })
    expect(await usedOf(plane, 'q')).toEqual({ services: '1', 'services.nodeports': '1', 'services.loadbalancers': '0' })
    await services.create(service('b', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }))
    expect(await usedOf(plane, 'q')).toEqual({ services: '2', 'services.nodeports': '1', 'services.loadbalancers': '1' })
    await expect(
      services.create(
        service('c', {
          type: 'NodePort',
          ports: [
            { name: 'a', port: 1 },
            { name: 'b', port: 2 },
          ],
        }),
      ),
    ).rejects.toThrow(
      'services "c" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=1, limited: services.nodeports=2',
    )
  })

  it('count claims and their storage, in all and by class', async () => {
    const plane = await start()
    const gold = 'gold.storageclass.storage.k8s.io/requests.storage'
    await createQuota(plane, 'q', { persistentvolumeclaims: '5', 'requests.storage': '10Gi', [gold]: '3Gi' })
    const claims = plane.client.for(PersistentVolumeClaim)
    await claims.create(claim('a', '2Gi', { storageClassName: 'gold' }))
    await claims.create(claim('b', '4Gi', { storageClassName: 'silver' }))
    expect(await usedOf(plane, 'q')).toEqual({ persistentvolumeclaims: '2', 'requests.storage': '6Gi', [gold]: '2Gi' })
    await expect(claims.create(claim('c', '2Gi', { storageClassName: 'gold' }))).rejects.toThrow(
      `exceeded quota: q, requested: ${gold}=2Gi, used: ${gold}=2Gi, limited: ${gold}=3Gi`,
    )
  })

  it('count custom ones too', async () => {
    const plane = await start()
    const group = 'demo.io'
    await plane.client.for(CustomResourceDefinition).create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', kind: 'Widget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    } as never)
    await createQuota(plane, 'q', { [`count/widgets.${group}`]: '1' })
    const Widget = kind({ group, version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })
    const create = (name: string) =>
      plane.client.for(Widget).create({ apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name, namespace: 'default' } } as KubeObject)
    await eventually(() => create('a'))
    await expect(create('b')).rejects.toThrow(
      `widgets.${group} "b" is forbidden: exceeded quota: q, requested: count/widgets.${group}=1, used: count/widgets.${group}=1, limited: count/widgets.${group}=1`,
    )
  })
})
