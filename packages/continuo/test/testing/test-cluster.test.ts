import { Deployment, Node, Pod } from '@continuo/workload'
import { expect, it } from 'vitest'
import { startTestCluster } from '../../src/testing/index.ts'

const deployment = (image: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } } as never, spec: { containers: [{ name: 'main', image }] } },
  },
})

it('runs a deployment on several simulated nodes', async () => {
  await using cluster = await startTestCluster({ nodes: 3 })
  await cluster.client.for(Deployment).create(deployment('nginx', 6))
  await cluster.eventually(async () => expect((await cluster.client.for(Deployment).get('default/web')).status?.readyReplicas).toBe(6))
  const pods = (await cluster.client.for(Pod).list({ namespace: 'default' })).items
  expect(new Set(pods.map((pod) => pod.spec?.nodeName))).toEqual(new Set(['node-1', 'node-2', 'node-3']))
  expect(
    (await cluster.client.for(Node).list()).items.every((node) =>
      node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    ),
  ).toBe(true)
})

it('restarts a crashed container and counts it', async () => {
  await using cluster = await startTestCluster()
  await cluster.client.for(Deployment).create(deployment('nginx', 1))
  const pod = await cluster.eventually(async () => {
    const [found] = (await cluster.client.for(Pod).list({ namespace: 'default' })).items
    expect(found?.status?.phase).toBe('Running')
    return found as Pod
  })
  cluster.runtimes.get('node-1')?.crash({ sandbox: pod.metadata.uid as string, name: 'main' }, 7)
  await cluster.eventually(async () => {
    const status = (await cluster.client.for(Pod).get({ namespace: 'default', name: pod.metadata.name })).status?.containerStatuses?.[0]
    expect(status).toMatchObject({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 7 } } })
  })
})

it('shows why an image cannot be pulled', async () => {
  await using cluster = await startTestCluster({ missingImages: new Set(['nope']) })
  await cluster.client.for(Deployment).create(deployment('nope', 1))
  await cluster.eventually(async () => {
    const [pod] = (await cluster.client.for(Pod).list({ namespace: 'default' })).items
    expect(pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toMatch(/ErrImagePull|ImagePullBackOff/)
  })
})

it('deletes everything with the deployment', async () => {
  await using cluster = await startTestCluster()
  await cluster.client.for(Deployment).create(deployment('nginx', 2))
  await cluster.eventually(async () => expect((await cluster.client.for(Deployment).get('default/web')).status?.readyReplicas).toBe(2))
  await cluster.client.for(Deployment).delete('default/web', { propagationPolicy: 'Background' })
  await cluster.eventually(async () => expect((await cluster.client.for(Pod).list({ namespace: 'default' })).items).toEqual([]))
  expect(await cluster.runtimes.get('node-1')?.list()).toEqual([])
})
