import {
  definePlugin,
  defineResource,
  hasReason,
  type KubeObject,
  kind,
  Namespace,
  type ObjectClient,
  type OwnerReference,
  RegistryCap,
} from '@continuo/core'
import { eventually, type SplitCluster, type StartApi, startSplitCluster } from '@continuo/testkit'
import { ClusterCaCap, ConfigMap, Deployment, Pod, ReplicaSet, Secret, ServiceAccount } from '@continuo/workload'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deployment, garbageCollector, namespace, replicaSet, serviceAccount } from '../../src/index.ts'
import { deploymentOf } from '../objects.ts'
import { type FakeAgent, fakeAgent } from './fake-agent.ts'

/** Runs over whichever API it is given: local by default. */
export function collectionSuite(startApi?: StartApi): void {
  let cluster: SplitCluster
  let agent: FakeAgent
  let client: ObjectClient

  const authority = definePlugin({
    name: 'authority',
    api: '^1',
    provides: [ClusterCaCap],
    setup: (ctx) => ctx.provide(ClusterCaCap, { certificate: 'PEM' }),
  })

  beforeEach(async () => {
    cluster = await startSplitCluster(
      {
        controllers: {
          authority,
          garbageCollector: { slot: 'gc', plugin: garbageCollector, config: { discoverySeconds: 1 } },
          namespace,
          serviceAccount,
          deployment,
          replicaSet,
        },
      },
      startApi,
    )
    client = cluster.client
    agent = fakeAgent(client)
  })

  afterEach(async () => {
    await agent.stop()
    await cluster[Symbol.asyncDispose]()
  })

  const map = (name: string, owners: (ConfigMap | Secret)[] = [], more: Partial<ConfigMap['metadata']> = {}, block = true): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ownerReferences: owners.map((owner) => reference(owner, block)), ...more },
  })
  const reference = ({ apiVersion, kind, metadata }: ConfigMap | Secret, blockOwnerDeletion: boolean): OwnerReference => ({
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid!,
    blockOwnerDeletion,
  })
  const create = (...args: Parameters<typeof map>): Promise<ConfigMap> => client.for(ConfigMap).create(map(...args))
  const at = (name: string) => ({ namespace: 'default', name })
  const exists = async (name: string, ns = 'default'): Promise<boolean> => {
    try {
      await client.for(ConfigMap).get({ namespace: ns, name })
      return true
    } catch (error) {
      if (hasReason(error, 'NotFound')) return false
      throw error
    }
  }
  const gone = (name: string, ns = 'default') => eventually(async () => !(await exists(name, ns)), `${name} is collected`)

  test('collects dependents of what is deleted, and theirs', async () => {
    const a = await create('a')
    const b = await create('b', [a])
    await create('c', [b])
    await create('bystander')
    await client.for(ConfigMap).delete(at('a'))
    await Promise.all([gone('b'), gone('c')])
    expect(await exists('bystander')).toBe(true)
  })

  test('keeps an object as long as one of its owners is there, and trims its references', async () => {
    const [a, b] = [await create('a'), await create('b')]
    await create('c', [a, b])
    await client.for(ConfigMap).delete(at('a'))
    await eventually(async () => (await client.for(ConfigMap).get(at('c'))).metadata.ownerReferences?.length === 1, 'one owner left')
    await client.for(ConfigMap).delete(at('b'))
    await gone('c')
  })

  test('collects an object whose owner was never there', async () => {
    const ghost = map('ghost', [], { uid: '00000000-0000-4000-8000-000000000000' })
    await create('child', [ghost])
    await gone('child')
  })

  test('keeps an object whose owner is of a kind that is not served', async () => {
    const [owner] = [await create('owner')]
    await client.for(ConfigMap).create({
      ...map('child'),
      metadata: { ...map('child').metadata, ownerReferences: [{ apiVersion: 'demo.io/v1', kind: 'Widget', name: 'w', uid: 'w' }] },
    })
    await create('probe', [owner])
    await client.for(ConfigMap).delete(at('owner'))
    await gone('probe')
    expect(await exists('child')).toBe(true)
  })

  test('collects an object whose owner is in another namespace, and not the other dependents', async () => {
    await client.for(Namespace).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } })
    const owner = await create('owner')
    await create('near', [owner])
    await create('far', [owner], { namespace: 'elsewhere' })
    await gone('far', 'elsewhere')
    expect(await exists('near')).toBe(true)
  })

  test('foreground deletion waits for dependents that block it', async () => {
    const a = await create('a')
    await create('held', [a], { finalizers: ['example.com/hold'] })
    await create('free', [a])
    await client.for(ConfigMap).delete(at('a'), { propagationPolicy: 'Foreground' })
    await gone('free')
    const { metadata } = await client.for(ConfigMap).get(at('a'))
    expect(metadata.finalizers).toEqual(['foregroundDeletion'])
    await client.for(ConfigMap).patch(at('held'), { type: 'merge', body: { metadata: { finalizers: null } } })
    await Promise.all([gone('held'), gone('a')])
  })

  test('foreground deletion does not wait for dependents that do not block it', async () => {
    const a = await create('a')
    await create('held', [a], { finalizers: ['example.com/hold'] }, false)
    await client.for(ConfigMap).delete(at('a'), { propagationPolicy: 'Foreground' })
    await gone('a')
    expect(await exists('held')).toBe(true)
    await client.for(ConfigMap).patch(at('held'), { type: 'merge', body: { metadata: { finalizers: null } } })
    await gone('held')
  })

  test('orphaning lets the dependents go on alone', async () => {
    const a = await create('a')
    await create('b', [a])
    await client.for(ConfigMap).delete(at('a'), { propagationPolicy: 'Orphan' })
    await gone('a')
    expect((await client.for(ConfigMap).get(at('b'))).metadata.ownerReferences ?? []).toEqual([])
  })

  test.each(['Background', 'Foreground'] as const)('a circle of owners goes as a whole in the %s', async (propagationPolicy) => {
    const a = await create('a')
    const b = await create('b', [a])
    const c = await create('c', [b])
    await client.for(ConfigMap).patch(at('a'), { type: 'merge', body: { metadata: { ownerReferences: [reference(c, true)] } } })
    await client.for(ConfigMap).delete(at('a'), { propagationPolicy })
    await Promise.all([gone('a'), gone('b'), gone('c')])
  })

  test('owners and dependents may be of different kinds', async () => {
    const owner = await client.for(Secret).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'owner', namespace: 'default' } })
    await create('child', [owner])
    await client.for(Secret).delete(at('owner'))
    await gone('child')
  })

  test.each(['Background', 'Foreground'] as const)(
    'deleting a deployment in the %s takes its sets and pods along',
    async (propagationPolicy) => {
      await client.for(Deployment).create(deploymentOf(3))
      await eventually(async () => (await client.for(Deployment).get(at('web'))).status?.availableReplicas === 3, 'three available')
      await client.for(Deployment).delete(at('web'), { propagationPolicy })
      await eventually(async () => {
        const counts = await Promise.all(
          [Deployment, ReplicaSet, Pod].map(
            async (kind) => (await client.for(kind as typeof Pod).list({ namespace: 'default' })).items.length,
          ),
        )
        return counts.every((count) => count === 0)
      }, 'nothing left')
    },
  )

  test('follows kinds that come and go while it runs', async () => {
    const registry = cluster.api.use(RegistryCap)
    const widgets = defineResource({
      group: 'demo.io',
      plural: 'widgets',
      kind: 'Widget',
      namespaced: true,
      storageVersion: 'v1',
      versions: [{ name: 'v1', schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }],
    })
    const Widget = kind<KubeObject>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })
    const widget = (name: string, owners: OwnerReference[] = []): KubeObject => ({
      apiVersion: 'demo.io/v1',
      kind: 'Widget',
      metadata: { name, namespace: 'default', ownerReferences: owners },
    })
    for (const round of ['first', 'second']) {
      const added = registry.add(widgets, 'test')
      const owner = await client.for(Widget).create(widget(`${round}-owner`))
      await create(`${round}-map`, [owner as ConfigMap])
      const other = await create(`${round}-other`)
      await client.for(Widget).create(widget(`${round}-child`, [reference(other, true)]))
      await client.for(Widget).delete(at(`${round}-owner`))
      await client.for(ConfigMap).delete(at(`${round}-other`))
      await gone(`${round}-map`)
      await eventually(
        async () => (await client.for(Widget).list({ namespace: 'default' })).items.length === 0,
        `widgets of the ${round} round are collected`,
      )
      added[Symbol.dispose]()
    }
  })

  test('each namespace has its default service account and the certificate to trust, also after they were deleted', async () => {
    await client.for(Namespace).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
    const account = () => eventually(() => client.for(ServiceAccount).get('team/default'), 'service account')
    const { metadata } = await account()
    expect((await eventually(() => client.for(ConfigMap).get('team/kube-root-ca.crt'), 'certificate')).data).toEqual({ 'ca.crt': 'PEM' })
    await client.for(ServiceAccount).delete('team/default')
    await eventually(async () => (await account()).metadata.uid !== metadata.uid, 'another service account')
    await client.for(ConfigMap).patch('team/kube-root-ca.crt', { type: 'merge', body: { data: { 'ca.crt': 'forged' } } })
    await eventually(
      async () => (await client.for(ConfigMap).get('team/kube-root-ca.crt')).data?.['ca.crt'] === 'PEM',
      'the certificate is mended',
    )
  })

  test('a namespace goes with everything in it, and says what it waits for', async () => {
    await client.for(Namespace).create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
    await create('plain', [], { namespace: 'team' })
    await create('held', [], { namespace: 'team', finalizers: ['example.com/hold'] })
    const web = deploymentOf(2)
    await client.for(Deployment).create({ ...web, metadata: { ...web.metadata, namespace: 'team' } })
    await eventually(async () => (await client.for(Deployment).get('team/web')).status?.availableReplicas === 2, 'two available')
    await client.for(Namespace).delete({ namespace: '', name: 'team' })
    const status = await eventually(async () => {
      const { status } = await client.for(Namespace).get({ namespace: '', name: 'team' })
      return status?.conditions?.some((each) => each.type === 'NamespaceFinalizersRemaining' && each.status === 'True') && status
    }, 'the namespace says that something is held')
    expect(status.phase).toBe('Terminating')
    expect(status.conditions?.find((each) => each.type === 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: configmaps. has 1 resource instances',
    )
    await client.for(ConfigMap).patch('team/held', { type: 'merge', body: { metadata: { finalizers: null } } })
    await eventually(
      async () =>
        client
          .for(Namespace)
          .get({ namespace: '', name: 'team' })
          .then(
            () => false,
            (error: unknown) => hasReason(error, 'NotFound'),
          ),
      'the namespace is gone',
    )
    expect((await client.for(Pod).list({ namespace: 'team' })).items).toEqual([])
  })
}
