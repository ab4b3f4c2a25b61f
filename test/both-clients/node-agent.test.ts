import { Event, type KubeObject, Lease, type ObjectClient, systemClock } from '@continuo/core'
import { SimulatedRuntime } from '@continuo/testkit'
import { ConfigMap, Deployment, EndpointSlice, Node, Pod, ReplicaSet, Service } from '@continuo/workload'
import { expect, it } from 'vitest'
import { localClient, startApi } from '../client-http/running-api.ts'
import { eventually } from '../support/eventually.ts'
import { locally, nodeFromConfigFile, nodeName, remotely, type SpreadCluster, startSpread } from './clusters.ts'

const web = 'default/web'
const labels = { app: 'web' }

const deployment = (replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels } as never,
      spec: {
        containers: [
          {
            name: 'main',
            image: 'v1',
            ports: [{ name: 'http', containerPort: 8080 }],
            env: [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } }],
          },
        ],
      },
    },
  },
})

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
} as Service

const settled = (client: ObjectClient, replicas: number): Promise<unknown> =>
  eventually(async () => {
    const { status, metadata } = await client.for(Deployment).get(web)
    expect(status).toMatchObject({
      observedGeneration: metadata.generation,
      replicas,
      updatedReplicas: replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
    })
    const pods = (await client.for(Pod).list({ namespace: 'default' })).items
    expect(pods.map((pod) => [pod.status?.phase, pod.metadata.deletionTimestamp])).toEqual(
      Array.from({ length: replicas }, () => ['Running', undefined]),
    )
  })

/** Rolls a deployment out, over and back, scales it, crashes a container and deletes a pod. */
async function scenario({ client, runtime }: SpreadCluster): Promise<void> {
  const deployments = client.for(Deployment)
  await client
    .for(ConfigMap)
    .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: { greeting: 'hello' } })
  await client.for(Service).create(service)
  await deployments.create(deployment(3))
  await settled(client, 3)
  const image = (name: string) =>
    ({ type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } } }) as const
  await deployments.patch(web, image('v2'))
  await settled(client, 3)
  await deployments.patch(web, { type: 'merge', body: { spec: { replicas: 4 } } })
  await settled(client, 4)
  const [first, second] = (await client.for(Pod).list({ namespace: 'default' })).items
  runtime.crash({ sandbox: first?.metadata.uid as string, name: 'main' }, 7)
  await eventually(async () => {
    const pod = await client.for(Pod).get(`default/${first?.metadata.name}`)
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: true })
  })
  await client.for(Pod).delete(`default/${second?.metadata.name}`, { gracePeriodSeconds: 0 })
  await eventually(async () => {
    const { items } = await client.for(Pod).list({ namespace: 'default' })
    expect(items.map((pod) => pod.metadata.uid)).not.toContain(second?.metadata.uid)
  })
  await settled(client, 4)
  await deployments.patch(web, image('v1'))
  await settled(client, 4)
  await eventually(async () => {
    const { items } = await client.for(EndpointSlice).list({ namespace: 'default' })
    expect(items.flatMap((slice) => slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready)).toHaveLength(4)
  })
}

const volatile =
  /^(uid|resourceVersion|creationTimestamp|generateName|.*Time|.*Timestamp|containerID|podIPs?|ip|addresses|startedAt|finishedAt|clusterIPs?|targetRef)$/
const generated = /\b(web)-[0-9a-z]+(-[bcdfghjklmnpqrstvwxz2456789]{5})?\b/g

/** What tells how many steps a rollout took, and whether an ending pod was seen in between: other timing, other numbers. */
const historic = /^(generation|observedGeneration|terminatingReplicas)$/

/** An object without what differs from run to run: times, uids, generated names, and in which order managers came. */
function timeless(value: unknown, key = ''): unknown {
  if (key === 'managedFields') {
    return [
      ...new Set(
        (value as { manager: string; operation: string; subresource?: string }[]).map((entry) =>
          `${entry.manager} ${entry.operation} ${entry.subresource ?? ''}`.trim(),
        ),
      ),
    ].sort()
  }
  if (Array.isArray(value)) return value.map((item) => timeless(item)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value === 'string') return value.replace(generated, '$1-*')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name]) =>
          !volatile.test(name) &&
          !historic.test(name) &&
          name !== 'pod-template-hash' &&
          name !== 'endpoints.kubernetes.io/last-change-trigger-time',
      )
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, timeless(inner, name)]),
  )
}

async function finalObjects(client: ObjectClient) {
  const all = async <T extends KubeObject>(kind: Parameters<ObjectClient['for']>[0]) =>
    timeless((await client.for(kind).list(kind.namespaced ? { namespace: 'default' } : {})).items as T[])
  return {
    deployments: await all(Deployment),
    replicaSets: await all(ReplicaSet),
    pods: await all(Pod),
    services: await all(Service),
    slices: await all(EndpointSlice),
    nodes: await all(Node),
  }
}

const outcomes = new Map<string, Awaited<ReturnType<typeof finalObjects>>>()

it.each([
  ['local clients', locally],
  ['remote clients', remotely],
] as const)('scheduler, controllers and node agent work over %s', async (name, reach) => {
  await using cluster = await startSpread(reach)
  await scenario(cluster)
  expect(await cluster.client.for(Deployment).get(web)).toMatchObject({ metadata: { generation: 4 }, status: { observedGeneration: 4 } })
  outcomes.set(name, await finalObjects(cluster.client))
  const leases = (await cluster.client.for(Lease).list()).items.map((lease) => `${lease.metadata.namespace}/${lease.metadata.name}`)
  expect(leases).toContain(`kube-node-lease/${nodeName}`)
  expect(cluster.hosts.controllers.leading).toBe(true)
  const events = (await cluster.client.for(Event).list({ namespace: 'default' })).items.map(
    (event) => (event as unknown as { reason: string }).reason,
  )
  expect(events).toEqual(expect.arrayContaining(['Scheduled', 'ScalingReplicaSet', 'SuccessfulCreate', 'Started']))
})

it('the same objects come out of both', () => {
  const [local, remote] = [outcomes.get('local clients'), outcomes.get('remote clients')]
  expect(local?.pods).toHaveLength(4)
  expect(remote).toEqual(local)
})

it('a node works that has only its config file and a kubeconfig', async () => {
  await using api = await startApi()
  const runtime = new SimulatedRuntime({ clock: systemClock })
  await using node = await nodeFromConfigFile(api, runtime)
  await node.host.start()
  const client = localClient(api)
  await eventually(async () => {
    const { status } = await client.for(Node).get(nodeName)
    expect(status?.conditions?.find((condition) => condition.type === 'Ready')?.status).toBe('True')
  })
  await client.for(Pod).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'alone', namespace: 'default' },
    spec: { nodeName, containers: [{ name: 'main', image: 'any' }] },
  } as Pod)
  await eventually(async () => expect((await client.for(Pod).get('default/alone')).status?.phase).toBe('Running'))
  expect((await runtime.list()).map((sandbox) => sandbox.name)).toEqual(['alone'])
  await client.for(Pod).delete('default/alone')
  await eventually(async () => expect((await client.for(Pod).list({ namespace: 'default' })).items).toEqual([]))
  await eventually(async () => expect(await runtime.list()).toEqual([]))
})
