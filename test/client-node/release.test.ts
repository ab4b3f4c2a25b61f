import { gzipSync } from 'node:zlib'
import {
  AppsV1Api,
  type KubernetesObject,
  PatchStrategy,
  setHeaderOptions,
  type V1Deployment,
  type V1Secret,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { refusal, type StockCluster, startStockCluster } from './stock-cluster.ts'

const namespace = 'default'
const manager = 'helm'

/** What Helm does for `install`, `upgrade`, `rollback` and `uninstall`, request by request; its binary cannot be had on every machine. */
describe('a release in the manner of Helm 3', () => {
  let cluster: StockCluster
  beforeAll(async () => {
    cluster = await startStockCluster()
  })
  afterAll(async () => {
    await cluster?.stop()
    expect(cluster?.faults()).toEqual([])
  })

  const labels = (version: number, status: string) => ({ name: 'shop', owner: 'helm', status, version: String(version) })
  const record = (version: number, status: string): V1Secret => ({
    metadata: { name: `sh.helm.release.v1.shop.v${version}`, labels: labels(version, status) },
    type: 'helm.sh/release.v1',
    data: {
      // A release is gzipped and in base64 of its own before it is the bytes of a secret.
      release: Buffer.from(gzipSync(JSON.stringify({ name: 'shop', version, info: { status } })).toString('base64')).toString('base64'),
    },
  })
  const releases = async (selector = 'name=shop,owner=helm'): Promise<string[]> => {
    const { items } = await cluster.core.listNamespacedSecret({ namespace, labelSelector: selector })
    return items.map(({ metadata }) => `${metadata?.labels?.version} ${metadata?.labels?.status}`)
  }
  const setStatus = async (version: number, status: string): Promise<void> => {
    const name = `sh.helm.release.v1.shop.v${version}`
    const stored = await cluster.core.readNamespacedSecret({ name, namespace })
    await cluster.core.replaceNamespacedSecret({
      name,
      namespace,
      body: { ...record(version, status), metadata: { ...stored.metadata, labels: labels(version, status) } },
    })
  }
  const owned = {
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': namespace },
  }
  const chart = (text: string, replicas: number): [KubernetesObject, V1Deployment] => [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop', namespace, ...owned }, data: { text } } as KubernetesObject,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace, ...owned },
      spec: {
        replicas,
        selector: { matchLabels: { app: 'shop' } },
        template: {
          metadata: { labels: { app: 'shop' }, annotations: { 'checksum/config': text } },
          spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'host', command: ['sleep', '300'] }] },
        },
      },
    },
  ]
  /** As `--wait` does: observed, all updated, all available. */
  const untilReady = (replicas: number) =>
    eventually(async () => {
      const { metadata, status } = await cluster.config.makeApiClient(AppsV1Api).readNamespacedDeployment({ name: 'shop', namespace })
      expect(status).toMatchObject({
        observedGeneration: metadata?.generation,
        updatedReplicas: replicas,
        replicas,
        availableReplicas: replicas,
      })
    })
  const apps = () => cluster.config.makeApiClient(AppsV1Api)
  const strategic = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch)

  it('installs: a record first, what is there already is refused, then the objects', async () => {
    // What a chart holds must not exist: each object is looked for, and discovery and the schemas are read.
    for (const object of chart('one', 1)) expect((await refusal(cluster.objects.read(object as never))).code).toBe(404)
    await cluster.core.createNamespacedSecret({ namespace, body: record(1, 'pending-install'), fieldManager: manager })
    expect(await refusal(cluster.core.createNamespacedSecret({ namespace, body: record(1, 'pending-install') }))).toMatchObject({
      reason: 'AlreadyExists',
    })
    for (const object of chart('one', 1)) await cluster.objects.create(object, undefined, undefined, manager)
    await untilReady(1)
    await setStatus(1, 'deployed')
    expect(await releases('name=shop,owner=helm,status=deployed')).toEqual(['1 deployed'])
    const { items } = await cluster.core.listNamespacedSecret({ namespace, fieldSelector: 'type=helm.sh/release.v1' })
    expect(items).toHaveLength(1)
  })

  it('upgrades by three-way patches: what others set stays, what the chart dropped goes', async () => {
    await apps().patchNamespacedDeployment(
      {
        name: 'shop',
        namespace,
        body: {
          metadata: { annotations: { 'team.example.com/owner': 'us' } },
          spec: { template: { spec: { containers: [{ name: 'sidecar', image: 'host', command: ['sleep', '300'] }] } } },
        },
      },
      strategic,
    )
    await cluster.core.createNamespacedSecret({ namespace, body: record(2, 'pending-upgrade') })
    await apps().patchNamespacedDeployment(
      {
        name: 'shop',
        namespace,
        fieldManager: manager,
        body: {
          spec: {
            replicas: 2,
            template: {
              metadata: { annotations: { 'checksum/config': 'two' } },
              spec: {
                '$setElementOrder/containers': [{ name: 'main' }],
                containers: [{ name: 'main', env: [{ name: 'MODE', value: 'two' }] }],
              },
            },
          },
        },
      },
      strategic,
    )
    await cluster.core.patchNamespacedConfigMap(
      { name: 'shop', namespace, fieldManager: manager, body: { data: { text: null, words: 'two' } } },
      strategic,
    )
    await untilReady(2)
    await setStatus(1, 'superseded')
    await setStatus(2, 'deployed')
    const stored = await apps().readNamespacedDeployment({ name: 'shop', namespace })
    expect(stored.metadata?.annotations).toMatchObject({ 'team.example.com/owner': 'us', 'meta.helm.sh/release-name': 'shop' })
    // What a strategic merge adds without an order comes first, and then stays where it is.
    expect(stored.spec?.template.spec?.containers.map((container) => container.name)).toEqual(['sidecar', 'main'])
    expect(stored.metadata?.managedFields?.filter((entry) => entry.manager === manager).map((entry) => entry.operation)).toEqual(['Update'])
    expect((await cluster.core.readNamespacedConfigMap({ name: 'shop', namespace })).data).toEqual({ words: 'two' })
    expect(await releases()).toEqual(['1 superseded', '2 deployed'])
  })

  it('rolls back to an older record as a new one', async () => {
    const old = await cluster.core.readNamespacedSecret({ name: 'sh.helm.release.v1.shop.v1', namespace })
    expect(Buffer.from(old.data?.release ?? '', 'base64').toString('utf8')).toMatch(/^H4sI/)
    await cluster.core.createNamespacedSecret({ namespace, body: record(3, 'pending-rollback') })
    await apps().patchNamespacedDeployment(
      {
        name: 'shop',
        namespace,
        body: { spec: { replicas: 1, template: { spec: { containers: [{ name: 'main', env: [{ name: 'MODE', $patch: 'delete' }] }] } } } },
      },
      strategic,
    )
    await untilReady(1)
    await setStatus(2, 'superseded')
    await setStatus(3, 'deployed')
    expect((await apps().readNamespacedDeployment({ name: 'shop', namespace })).spec?.template.spec?.containers[1]).toMatchObject({
      name: 'main',
      command: ['sleep', '300'],
    })
    expect(await releases('owner=helm,status!=superseded')).toEqual(['3 deployed'])
  })

  it('uninstalls: the objects in the background, then every record', async () => {
    for (const object of chart('one', 1).reverse())
      await cluster.objects.delete(object, undefined, undefined, undefined, undefined, 'Background')
    await eventually(async () => {
      expect((await cluster.core.listNamespacedPod({ namespace, labelSelector: 'app=shop' })).items).toEqual([])
      expect((await apps().listNamespacedReplicaSet({ namespace })).items).toEqual([])
    })
    for (const version of [1, 2, 3]) await cluster.core.deleteNamespacedSecret({ name: `sh.helm.release.v1.shop.v${version}`, namespace })
    expect(await releases()).toEqual([])
  })
})
