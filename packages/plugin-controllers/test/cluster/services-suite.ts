import { hasReason, type ObjectClient } from '@continuo/core'
import { eventually, type SplitCluster, type StartApi, startSplitCluster } from '@continuo/testkit'
import { EndpointSlice, Endpoints, Pod, ReplicationController, Service, type ServiceSpec } from '@continuo/workload'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defaultTolerations, endpointSlice, endpoints, replicationController, serviceAllocator } from '../../src/index.ts'
import { serviceOf } from '../objects.ts'
import { type FakeAgent, fakeAgent } from './fake-agent.ts'

/** Runs over whichever API it is given: local by default. */
export function servicesSuite(startApi?: StartApi): void {
  let cluster: SplitCluster
  let agent: FakeAgent
  let client: ObjectClient

  beforeEach(async () => {
    const allocator = { slot: 'allocator', plugin: serviceAllocator, config: { serviceRange: '127.96.0.0/26', nodePorts: '30000-30031' } }
    cluster = await startSplitCluster(
      { admission: { allocator, defaultTolerations }, controllers: { endpoints, endpointSlice, replicationController } },
      startApi,
    )
    client = cluster.client
    agent = fakeAgent(client)
  })

  afterEach(async () => {
    await agent.stop()
    await cluster[Symbol.asyncDispose]()
  })

  const web = { namespace: 'default', name: 'web' }
  const create = (name: string, spec: Partial<ServiceSpec> = {}): Promise<Service> => client.for(Service).create(serviceOf(spec, name))
  const refusal = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  const slices = async (): Promise<EndpointSlice[]> => (await client.for(EndpointSlice).list({ namespace: 'default' })).items
  const addresses = async (): Promise<string[]> =>
    (await client.for(Endpoints).get(web)).subsets?.flatMap(
      (subset) => subset.addresses?.map(({ targetRef }) => targetRef?.name ?? '') ?? [],
    ) ?? []
  const endpointOf = async (pod: string) =>
    (await slices()).flatMap((slice) => slice.endpoints ?? []).find(({ targetRef }) => targetRef?.name === pod)

  const pod = (name: string): Promise<Pod> =>
    client.for(Pod).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'v1', ports: [{ name: 'http', containerPort: 8080 }] }] },
    })

  test('gives each of many services that come at once an address and a port of its own, and takes them back', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`)
    const made = await Promise.all(names.map((name) => create(name, { type: 'NodePort' })))
    expect(new Set(made.map(({ spec }) => spec?.clusterIP)).size).toBe(30)
    expect(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size).toBe(30)
    await Promise.all(names.map((name) => client.for(Service).delete({ namespace: 'default', name })))
    const again = await Promise.all(names.map((name) => create(name, { type: 'NodePort' })))
    expect(new Set(again.map(({ spec }) => spec?.clusterIP)).size).toBe(30)
  })

  test('refuses what is taken and stores nothing then; a dry run takes nothing', async () => {
    await create('web', { clusterIP: '127.96.0.5' })
    expect(await refusal(create('other', { clusterIP: '127.96.0.5' }))).toBe(
      'Service "other" is invalid: spec.clusterIPs: Invalid value: ["127.96.0.5"]: failed to allocate IP 127.96.0.5: provided IP is already allocated',
    )
    expect(await refusal(client.for(Service).get({ namespace: 'default', name: 'other' }))).toContain('not found')
    await client.for(Service).create(serviceOf({ clusterIP: '127.96.0.6' }, 'dry'), { dryRun: true })
    expect((await create('third', { clusterIP: '127.96.0.6' })).spec?.clusterIP).toBe('127.96.0.6')
  })

  test('two services cannot get the same address by asking at the same time', async () => {
    const results = await Promise.all(['a', 'b', 'c'].map((name) => refusal(create(name, { clusterIP: '127.96.0.9' }))))
    expect(results.filter((result) => result === 'accepted')).toHaveLength(1)
  })

  test('a change of the type claims and releases node ports', async () => {
    await create('web')
    const exposed = await client.for(Service).patch(web, { type: 'merge', body: { spec: { type: 'NodePort' } } })
    const port = exposed.spec?.ports?.[0]?.nodePort
    expect(port).toBeGreaterThanOrEqual(30_000)
    await client.for(Service).patch(web, { type: 'merge', body: { spec: { type: 'ClusterIP' } } })
    const taken = { type: 'NodePort' as const, ports: [{ port: 80, protocol: 'TCP' as const, nodePort: port! }] }
    expect((await create('other', taken)).spec?.ports?.[0]?.nodePort).toBe(port)
  })

  test('a pod that is told to end leaves the ready endpoints before it has ended', async () => {
    await create('web')
    await pod('a')
    await eventually(async () => (await endpointOf('a'))?.conditions?.ready, 'a ready endpoint')
    await eventually(async () => (await addresses()).includes('a'), 'an address')
    agent.lingering.add('v1')
    await client.for(Pod).delete({ namespace: 'default', name: 'a' })
    const leaving = await eventually(async () => {
      const endpoint = await endpointOf('a')
      return endpoint?.conditions?.ready === false && endpoint
    }, 'the endpoint is not ready')
    expect(leaving.conditions).toEqual({ ready: false, serving: true, terminating: true })
    await eventually(async () => (await addresses()).length === 0, 'no address')
    agent.lingering.clear()
    await client.for(Pod).delete({ namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 })
    await eventually(async () => (await endpointOf('a')) === undefined, 'no endpoint')
  })

  test('follows the selector, and goes with the service', async () => {
    await create('web')
    await pod('a')
    await eventually(async () => (await endpointOf('a')) !== undefined, 'an endpoint')
    await client.for(Service).patch(web, { type: 'merge', body: { spec: { selector: { app: 'other' } } } })
    await eventually(async () => (await endpointOf('a')) === undefined && (await addresses()).length === 0, 'no endpoint')
    await client.for(Service).delete(web)
    await eventually(async () => (await slices()).length === 0, 'no slices')
    await eventually(async () => (await refusal(client.for(Endpoints).get(web))).includes('not found'), 'no Endpoints')
  })

  test('mends slices and Endpoints that others change, and leaves those of services without a selector alone', async () => {
    await create('web')
    await pod('a')
    await eventually(async () => (await addresses()).includes('a'), 'an address')
    const [slice] = await eventually(async () => ((await endpointOf('a')) === undefined ? undefined : slices()), 'a slice')
    await client.for(EndpointSlice).delete({ namespace: 'default', name: slice!.metadata.name })
    await client.for(Endpoints).patch(web, { type: 'merge', body: { subsets: null } })
    await eventually(async () => (await endpointOf('a')) !== undefined && (await addresses()).includes('a'), 'all is mended')
    await create('manual', { selector: undefined })
    await client.for(Endpoints).create({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'manual', namespace: 'default' },
      subsets: [{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 1 }] }],
    })
    await client
      .for(Service)
      .patch({ namespace: 'default', name: 'manual' }, { type: 'merge', body: { metadata: { labels: { touched: 'yes' } } } })
    await pod('b')
    await eventually(async () => (await addresses()).length === 2, 'two addresses')
    expect((await client.for(Endpoints).get({ namespace: 'default', name: 'manual' })).subsets?.[0]?.addresses?.[0]?.ip).toBe('10.9.9.9')
  })

  test('a replication controller keeps its pods, which bear unhealthy nodes for a time', async () => {
    const controller: ReplicationController = {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'rc', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { app: 'rc' },
        template: { metadata: { labels: { app: 'rc' } } as never, spec: { containers: [{ name: 'main', image: 'v1' }] } },
      },
    }
    await client.for(ReplicationController).create(controller)
    await eventually(async () => (await client.for(ReplicationController).get('default/rc')).status?.readyReplicas === 2, 'two ready')
    const { items } = await client.for(Pod).list({ namespace: 'default', labelSelector: 'app=rc' })
    expect(items.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual(['ReplicationController', 'ReplicationController'])
    expect(items[0]?.spec?.tolerations).toHaveLength(2)
    try {
      await client.for(Pod).delete({ namespace: 'default', name: items[0]!.metadata.name })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
    await eventually(async () => {
      const { items: now } = await client.for(Pod).list({ namespace: 'default', labelSelector: 'app=rc' })
      return now.length === 2 && now.every((each) => each.metadata.uid !== items[0]?.metadata.uid)
    }, 'another pod')
  })
}
