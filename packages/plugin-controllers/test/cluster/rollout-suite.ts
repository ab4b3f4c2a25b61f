import { ApiError, DecisionLogCap, definePlugin, Event, type ObjectClient } from '@continuo/core'
import { eventually, type SplitCluster, type StartApi, startSplitCluster } from '@continuo/testkit'
import { Deployment, EndpointSlice, Endpoints, Pod, ReplicaSet, Service } from '@continuo/workload'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newReplicaSet } from '../../src/deployment/new-replica-set.ts'
import { deployment, endpointSlice, endpoints, replicaSet, serviceAllocator } from '../../src/index.ts'
import { deploymentOf, serviceOf, setOf } from '../objects.ts'
import { type FakeAgent, fakeAgent } from './fake-agent.ts'

/** Runs over whichever API it is given: local by default. */
export function rolloutSuite(startApi?: StartApi): void {
  let cluster: SplitCluster
  let agent: FakeAgent
  let client: ObjectClient
  let refusing = false

  const refusal = definePlugin({
    name: 'refusal',
    api: '^1',
    setup: (ctx) =>
      ctx.admission({
        validate({ operation, resource }) {
          if (refusing && operation === 'CREATE' && resource.resource === 'pods')
            throw new ApiError('Forbidden', 'pods "web" is forbidden: no pods today')
        },
      }),
  })

  beforeEach(async () => {
    cluster = await startSplitCluster(
      {
        admission: { allocator: serviceAllocator, refusal },
        controllers: { deployment, replicaSet, endpoints, endpointSlice },
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

  const web = 'default/web'
  const sets = async (): Promise<ReplicaSet[]> => (await client.for(ReplicaSet).list({ namespace: 'default' })).items
  const podImages = async (): Promise<string[]> =>
    (await client.for(Pod).list({ namespace: 'default' })).items.map((pod) => pod.spec?.containers[0]?.image ?? '').sort()
  const condition = (object: Deployment, type: string) => object.status?.conditions?.find((each) => each.type === type)

  const complete = (replicas: number): Promise<Deployment> =>
    eventually(async () => {
      const object = await client.for(Deployment).get(web)
      const { status, metadata } = object
      const settled =
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === replicas &&
        status.availableReplicas === replicas &&
        status.replicas === replicas
      return settled && object
    }, `deployment web complete with ${replicas}`)

  const setImage = (image: string) =>
    client
      .for(Deployment)
      .patch(web, { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } } })

  test('a deployment makes a replica set, its pods become ready and its service gets endpoints', async () => {
    await client.for(Service).create(serviceOf())
    await client.for(Deployment).create(deploymentOf(3, { template: templateWithPort('v1') }))
    const done = await complete(3)
    expect(condition(done, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' })
    expect(condition(done, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
    expect(done.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    const service = await client.for(Service).get(web)
    expect(service.spec?.clusterIP).toMatch(/^127\.96\./)
    const slice = await eventually(async () => {
      const { items } = await client.for(EndpointSlice).list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })
      return items.find((each) => each.endpoints?.filter((endpoint) => endpoint.conditions?.ready).length === 3)
    }, 'three ready endpoints in a slice')
    expect(slice.ports).toMatchObject([{ port: 8080, protocol: 'TCP' }])
    await eventually(async () => (await client.for(Endpoints).get(web)).subsets?.[0]?.addresses?.length === 3, 'three addresses')
  })

  const templateWithPort = (image: string) => ({
    metadata: { labels: { app: 'web' } } as never,
    spec: { containers: [{ name: 'main', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
  })

  test('rolls over to a new template, keeps history and rolls back with a new revision', async () => {
    await client.for(Deployment).create(deploymentOf(3))
    await complete(3)
    await setImage('v2')
    await complete(3)
    expect(await eventually(async () => (await podImages()).join() === 'v2,v2,v2', 'only new pods')).toBe(true)
    await setImage('v1')
    const back = await complete(3)
    expect(back.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
    const all = await sets()
    expect(all).toHaveLength(2)
    const current = all.find((set) => set.spec?.replicas === 3)
    expect(current?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    })
  })

  test('a rollout with a broken image stops at its surge limit and heals', async () => {
    agent.broken.add('bad')
    await client.for(Deployment).create(deploymentOf(4))
    await complete(4)
    await setImage('bad')
    await eventually(
      async () => (await podImages()).filter((image) => image === 'bad').length === 2,
      'two broken pods: one of surge, one unavailable',
    )
    const stuck = await eventually(async () => {
      const object = await client.for(Deployment).get(web)
      return object.status?.updatedReplicas === 2 && object.status.availableReplicas === 3 && object
    }, 'three of four available')
    expect(stuck.status?.replicas).toBe(5)
    await setImage('v1')
    await complete(4)
  })

  test('scales, and replaces a pod that is deleted', async () => {
    await client.for(Deployment).create(deploymentOf(2))
    await complete(2)
    await client.for(Deployment).patch(web, { type: 'merge', body: { spec: { replicas: 5 } } })
    await complete(5)
    await client.for(Deployment).patch(web, { type: 'merge', body: { spec: { replicas: 1 } } })
    await complete(1)
    // Those that were scaled away may still be ending.
    const pod = (await client.for(Pod).list({ namespace: 'default' })).items.find((each) => each.metadata.deletionTimestamp === undefined)
    await client.for(Pod).delete({ namespace: 'default', name: pod!.metadata.name })
    await eventually(async () => {
      const { items } = await client.for(Pod).list({ namespace: 'default' })
      return items.length === 1 && items[0]?.metadata.uid !== pod?.metadata.uid && items[0]?.status?.phase === 'Running'
    }, 'another pod in its place')
  })

  test('recreates: no new pod before the last old one has ended', async () => {
    await client.for(Deployment).create(deploymentOf(2, { strategy: { type: 'Recreate' } }))
    await complete(2)
    agent.lingering.add('v1')
    await setImage('v2')
    const old = await eventually(async () => {
      const { items } = await client.for(Pod).list({ namespace: 'default' })
      return items.every((pod) => pod.metadata.deletionTimestamp !== undefined) && items
    }, 'all old pods going')
    await eventually(async () => (await client.for(Deployment).get(web)).status?.replicas === 0, 'no replicas counted')
    await expect(eventually(async () => (await podImages()).includes('v2'), 'a new pod', 300)).rejects.toThrow('waited')
    agent.lingering.clear()
    for (const pod of old) await client.for(Pod).delete({ namespace: 'default', name: pod.metadata.name }, { gracePeriodSeconds: 0 })
    await complete(2)
    expect(await podImages()).toEqual(['v2', 'v2'])
  })

  test('a paused deployment is scaled and not rolled out', async () => {
    await client.for(Deployment).create(deploymentOf(2))
    await complete(2)
    await client.for(Deployment).patch(web, { type: 'merge', body: { spec: { paused: true, replicas: 3 } } })
    await setImage('v2')
    await eventually(async () => (await podImages()).length === 3, 'three pods')
    expect(await podImages()).toEqual(['v1', 'v1', 'v1'])
    expect(condition(await client.for(Deployment).get(web), 'Progressing')?.reason).toBe('DeploymentPaused')
    await client.for(Deployment).patch(web, { type: 'merge', body: { spec: { paused: false } } })
    await complete(3)
  })

  test('adopts orphans that match and releases pods that no longer do', async () => {
    await client.for(Deployment).create(deploymentOf(2))
    await complete(2)
    const [set] = await sets()
    const [pod] = (await client.for(Pod).list({ namespace: 'default' })).items
    const key = { namespace: 'default', name: pod!.metadata.name }
    await client.for(Pod).patch(key, { type: 'merge', body: { metadata: { labels: { app: 'other' } } } })
    await eventually(async () => ((await client.for(Pod).get(key)).metadata.ownerReferences?.length ?? 0) === 0, 'the pod is released')
    await eventually(async () => (await podImages()).length === 3, 'a pod in its place')
    await client.for(Pod).patch(key, { type: 'merge', body: { metadata: { labels: { app: 'web' } } } })
    await eventually(async () => {
      const { items } = await client.for(Pod).list({ namespace: 'default' })
      return items.length === 2 && items.every((each) => each.metadata.ownerReferences?.[0]?.uid === set?.metadata.uid)
    }, 'two pods, all owned')
  })

  test('takes another name when a stranger has the one of its replica set', async () => {
    await client.for(Deployment).create(deploymentOf(2, { paused: true }))
    const stored = await client.for(Deployment).get(web)
    const { name } = newReplicaSet(stored, []).metadata
    const stranger = setOf('stranger', 0)
    await client.for(ReplicaSet).create({ ...stranger, metadata: { ...stranger.metadata, name, uid: undefined, ownerReferences: [] } })
    await client.for(Deployment).patch(web, { type: 'merge', body: { spec: { paused: false } } })
    expect((await complete(2)).status?.collisionCount).toBe(1)
  })

  test('says why pods cannot be made, and goes on when they can', async () => {
    refusing = true
    await client.for(Deployment).create(deploymentOf(1))
    const failed = await eventually(async () => {
      const object = await client.for(Deployment).get(web)
      return condition(object, 'ReplicaFailure') && object
    }, 'condition ReplicaFailure')
    expect(condition(failed, 'ReplicaFailure')).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message: expect.stringContaining('no pods today'),
    })
    refusing = false
    const done = await complete(1)
    expect(condition(done, 'ReplicaFailure')).toBeUndefined()
  })

  test('decisions lead from a replaced pod to the rollout', async () => {
    await client.for(Deployment).create(deploymentOf(1))
    await complete(1)
    const [old] = (await client.for(Pod).list({ namespace: 'default' })).items
    await setImage('v2')
    await complete(1)
    const log = cluster.controllers.use(DecisionLogCap)
    const deleted = log.about({ kind: 'Pod', namespace: 'default', name: old!.metadata.name }).find(({ code }) => code === 'ReplicaDeleted')
    expect(deleted?.message).toMatch(/^ReplicaSet default\/web-\w+ wants 0 replicas$/)
    const cause = log.byId(deleted?.cause ?? '')
    expect(cause?.code).toBe('ScalingReplicaSet')
    expect(cause?.message).toMatch(
      /^Deployment default\/web: Scaled down replica set web-\w+ from 1 to 0: pods of web-\w+ take their place$/,
    )
  })

  test('tells what it does in events', async () => {
    await client.for(Deployment).create(deploymentOf(1))
    await complete(1)
    await eventually(async () => {
      const { items } = await client.for(Event).list({ namespace: 'default' })
      const told = items.map(
        (event) => `${(event as unknown as { reason: string }).reason}: ${(event as unknown as { message: string }).message}`,
      )
      return (
        told.some((each) => /^ScalingReplicaSet: Scaled up replica set web-\w+ from 0 to 1$/.test(each)) &&
        told.some((each) => /^SuccessfulCreate: Created pod: web-\w+-\w{5}$/.test(each))
      )
    }, 'events about scaling and creation')
  })
}
