import {
  ApiextensionsV1Api,
  AppsV1Api,
  AuthenticationV1Api,
  AuthorizationV1Api,
  AutoscalingV1Api,
  BatchV1Api,
  CoordinationV1Api,
  CustomObjectsApi,
  Metrics,
  NetworkingV1Api,
  PatchStrategy,
  PolicyV1Api,
  setHeaderOptions,
  topNodes,
  VersionApi,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { refusal, type StockCluster, startStockCluster } from './stock-cluster.ts'

const namespace = 'default'
const patchAs = (strategy: PatchStrategy) => setHeaderOptions('Content-Type', strategy)

describe('@kubernetes/client-node, objects', () => {
  let cluster: StockCluster
  beforeAll(async () => {
    cluster = await startStockCluster()
  })
  afterAll(async () => {
    await cluster?.stop()
    expect(cluster?.faults()).toEqual([])
  })

  it('creates, reads, replaces, lists and deletes typed objects', async () => {
    const { core } = cluster
    const created = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'typed', labels: { suite: 'typed' } }, data: { a: '1' } },
    })
    expect(created.metadata?.creationTimestamp).toBeInstanceOf(Date)
    const read = await core.readNamespacedConfigMap({ name: 'typed', namespace })
    const replaced = await core.replaceNamespacedConfigMap({ name: 'typed', namespace, body: { ...read, data: { a: '2' } } })
    expect(replaced.data).toEqual({ a: '2' })
    expect(await refusal(core.replaceNamespacedConfigMap({ name: 'typed', namespace, body: { ...read, data: { a: '3' } } }))).toMatchObject(
      {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "typed": the object has been modified; please apply your changes to the latest version and try again',
      },
    )
    const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'suite in (typed)' })
    expect(items.map((item) => item.metadata?.name)).toEqual(['typed'])
    await core.deleteNamespacedConfigMap({ name: 'typed', namespace })
    expect(await refusal(core.readNamespacedConfigMap({ name: 'typed', namespace }))).toMatchObject({ code: 404, reason: 'NotFound' })
  })

  it('says what is wrong in the words and with the fields of Kubernetes', async () => {
    const { core } = cluster
    const apps = cluster.config.makeApiClient(AppsV1Api)
    const container = { name: 'main', image: 'host' }
    const refused = await refusal(
      apps.createNamespacedDeployment({
        namespace,
        body: {
          metadata: { name: 'wrong' },
          spec: {
            selector: { matchLabels: { app: 'a' } },
            template: { metadata: { labels: { app: 'b' } }, spec: { containers: [container] } },
          },
        },
      }),
    )
    expect(refused).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(refused.causes).toContainEqual(expect.objectContaining({ field: 'spec.template.metadata.labels' }))
    await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'twice' } } })
    expect(await refusal(core.createNamespacedSecret({ namespace, body: { metadata: { name: 'twice' } } }))).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'secrets "twice" already exists',
    })
  })

  it('patches in each of the four ways', async () => {
    const apps = cluster.config.makeApiClient(AppsV1Api)
    const name = 'patched'
    await apps.createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: {
              containers: [
                { name: 'main', image: 'host' },
                { name: 'side', image: 'host' },
              ],
            },
          },
        },
      },
    })
    const wrong = [{ op: 'replace', path: '/spec/paused', value: true }]
    // `replace` needs what it replaces.
    expect((await refusal(apps.patchNamespacedDeployment({ name, namespace, body: wrong }, patchAs(PatchStrategy.JsonPatch)))).code).toBe(
      422,
    )
    const added = await apps.patchNamespacedDeployment(
      { name, namespace, body: [{ op: 'add', path: '/spec/paused', value: true }] },
      patchAs(PatchStrategy.JsonPatch),
    )
    expect(added.spec?.paused).toBe(true)
    const merged = await apps.patchNamespacedDeployment(
      { name, namespace, body: { spec: { paused: null } } },
      patchAs(PatchStrategy.MergePatch),
    )
    expect(merged.spec?.paused).toBeUndefined()
    const strategic = await apps.patchNamespacedDeployment(
      { name, namespace, body: { spec: { template: { spec: { containers: [{ name: 'side', image: 'host:2' }] } } } } },
      patchAs(PatchStrategy.StrategicMergePatch),
    )
    expect(strategic.spec?.template.spec?.containers.map(({ name: container, image }) => [container, image])).toEqual([
      ['main', 'host'],
      ['side', 'host:2'],
    ])
    const applied = await apps.patchNamespacedDeployment(
      {
        name,
        namespace,
        fieldManager: 'proof',
        body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: { by: 'apply' } } },
      },
      patchAs(PatchStrategy.ServerSideApply),
    )
    expect(applied.metadata?.labels).toEqual({ by: 'apply' })
    expect(applied.metadata?.managedFields?.find((entry) => entry.manager === 'proof')).toMatchObject({
      operation: 'Apply',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:by': {} } } },
    })
    await apps.deleteNamespacedDeployment({ name, namespace, propagationPolicy: 'Foreground' })
    await eventually(async () => expect((await refusal(apps.readNamespacedDeployment({ name, namespace }))).code).toBe(404))
  })

  it('applies: conflicts are told with their fields, force takes them over', async () => {
    const { core } = cluster
    const apply = (fieldManager: string, value: string, force?: boolean) =>
      core.patchNamespacedConfigMap(
        {
          name: 'shared',
          namespace,
          fieldManager,
          force,
          body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { key: value } },
        },
        patchAs(PatchStrategy.ServerSideApply),
      )
    await apply('first', '1')
    const refused = await refusal(apply('second', '2'))
    expect(refused).toMatchObject({ code: 409, reason: 'Conflict', causes: [{ reason: 'FieldManagerConflict', field: '.data.key' }] })
    expect((await apply('second', '2', true)).data).toEqual({ key: '2' })
  })

  it('reads and writes scale and status, evicts, and changes ephemeral containers', async () => {
    const { core } = cluster
    const apps = cluster.config.makeApiClient(AppsV1Api)
    const policy = cluster.config.makeApiClient(PolicyV1Api)
    const name = 'scaled'
    await apps.createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'host', command: ['sleep', '300'] }] },
          },
        },
      },
    })
    // The controller writes too: whoever reads and then writes tries again after a conflict.
    await eventually(async () => {
      const scale = await apps.readNamespacedDeploymentScale({ name, namespace })
      await apps.replaceNamespacedDeploymentScale({ name, namespace, body: { ...scale, spec: { replicas: 2 } } })
    })
    await eventually(async () => expect((await apps.readNamespacedDeploymentStatus({ name, namespace })).status?.readyReplicas).toBe(2))
    const pods = (await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items
    const victim = pods[0]?.metadata?.name ?? ''
    const before = await core.readNamespacedPodEphemeralcontainers({ name: victim, namespace })
    expect(before.spec?.ephemeralContainers).toBeUndefined()
    await core.createNamespacedPodEviction({ name: victim, namespace, body: { metadata: { name: victim, namespace } } })
    await eventually(async () => {
      const names = (
        await core.listNamespacedPod({ namespace, labelSelector: `app=${name}`, fieldSelector: 'status.phase=Running' })
      ).items.map((pod) => pod.metadata?.name)
      expect(names).toHaveLength(2)
      expect(names).not.toContain(victim)
    })
    await policy.createNamespacedPodDisruptionBudget({
      namespace,
      body: { metadata: { name }, spec: { minAvailable: 2, selector: { matchLabels: { app: name } } } },
    })
    await eventually(async () => expect((await policy.readNamespacedPodDisruptionBudget({ name, namespace })).status?.expectedPods).toBe(2))
    const kept =
      (await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items.find(
        (pod) => pod.metadata?.deletionTimestamp === undefined,
      )?.metadata?.name ?? ''
    expect(
      await refusal(core.createNamespacedPodEviction({ name: kept, namespace, body: { metadata: { name: kept, namespace } } })),
    ).toMatchObject({ code: 429, reason: 'TooManyRequests' })
    await apps.deleteNamespacedDeployment({ name, namespace })
    await eventually(async () => expect((await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items).toEqual([]))
  })

  it('pages a list with limit and continue, and reads one revision exactly', async () => {
    const { core } = cluster
    for (let index = 0; index < 7; index++)
      await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: `page-${index}`, labels: { paged: 'yes' } } } })
    const names: string[] = []
    let token: string | undefined
    let first: string | undefined
    do {
      const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'paged', limit: 3, _continue: token })
      first ??= page.metadata?.resourceVersion
      expect(page.metadata?.resourceVersion).toBe(first)
      names.push(...page.items.map((item) => item.metadata?.name ?? ''))
      token = page.metadata?._continue
      await core.createNamespacedConfigMap({
        namespace,
        body: { metadata: { name: `page-later-${names.length}`, labels: { paged: 'yes' } } },
      })
    } while (token)
    expect(names).toEqual(Array.from({ length: 7 }, (_, index) => `page-${index}`))
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'paged' })
    expect((await core.listNamespacedConfigMap({ namespace, labelSelector: 'paged' })).items).toEqual([])
    const past = await core.listNamespacedConfigMap({
      namespace,
      labelSelector: 'paged',
      resourceVersion: first,
      resourceVersionMatch: 'Exact',
    })
    expect(past.items).toHaveLength(7)
  })

  it('works with objects of any kind by their apiVersion and kind', async () => {
    const { objects } = cluster
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'widgets.proof.example.com' },
      spec: {
        group: 'proof.example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'] },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    properties: { size: { type: 'integer', minimum: 0 }, parts: { type: 'array', items: { type: 'string' } } },
                  },
                  status: { type: 'object', properties: { size: { type: 'integer' } } },
                },
              },
            },
          },
        ],
      },
    }
    await objects.create(definition)
    await eventually(async () => {
      const crd = await cluster.config.makeApiClient(ApiextensionsV1Api).readCustomResourceDefinition({ name: definition.metadata.name })
      expect(crd.status?.conditions?.find((condition) => condition.type === 'Established')?.status).toBe('True')
    })
    const header = { apiVersion: 'proof.example.com/v1', kind: 'Widget', metadata: { name: 'one', namespace } }
    const widget = { ...header, spec: { size: 1, parts: ['a'] } }
    await objects.create(widget)
    expect(await objects.read(header)).toMatchObject({ spec: { size: 1, parts: ['a'] } })
    expect(
      await objects.patch(
        { ...header, spec: { size: 2 } } as typeof widget,
        undefined,
        undefined,
        undefined,
        undefined,
        PatchStrategy.MergePatch,
      ),
    ).toMatchObject({ spec: { size: 2, parts: ['a'] } })
    expect((await refusal(objects.patch({ ...header, spec: { size: 3 } } as typeof widget))).code).toBe(415)
    expect(
      await objects.patch(
        { ...header, spec: { size: 4 } } as typeof widget,
        undefined,
        undefined,
        'proof',
        true,
        PatchStrategy.ServerSideApply,
      ),
    ).toMatchObject({ spec: { size: 4, parts: ['a'] } })
    expect((await objects.list(header.apiVersion, header.kind, namespace)).items).toHaveLength(1)
    expect(
      (
        await refusal(
          objects.patch(
            { ...header, spec: { size: -1 } } as typeof widget,
            undefined,
            undefined,
            undefined,
            undefined,
            PatchStrategy.MergePatch,
          ),
        )
      ).causes,
    ).toMatchObject([{ field: 'spec.size' }])

    const custom = cluster.config.makeApiClient(CustomObjectsApi)
    const at = { group: 'proof.example.com', version: 'v1', namespace, plural: 'widgets', name: 'one' }
    await custom.patchNamespacedCustomObjectStatus(
      { ...at, body: [{ op: 'add', path: '/status', value: { size: 4 } }] },
      patchAs(PatchStrategy.JsonPatch),
    )
    expect(await custom.getNamespacedCustomObjectScale(at)).toMatchObject({ kind: 'Scale', spec: { replicas: 4 }, status: { replicas: 4 } })
    await objects.delete(header)
    expect((await refusal(objects.read(header))).code).toBe(404)
    await objects.delete(definition)
    await eventually(async () => expect((await refusal(custom.listNamespacedCustomObject(at))).code).toBe(404))
  })

  it('reads its own rights, makes tokens and reviews them, and reads version, leases and networks', async () => {
    const { core, config } = cluster
    const authorization = config.makeApiClient(AuthorizationV1Api)
    const access = await authorization.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } },
    })
    expect(access.status?.allowed).toBe(true)
    const token = await core.createNamespacedServiceAccountToken({
      name: 'default',
      namespace,
      body: { spec: { audiences: [], expirationSeconds: 600 } },
    })
    const review = await config
      .makeApiClient(AuthenticationV1Api)
      .createTokenReview({ body: { spec: { token: token.status?.token ?? '' } } })
    expect(review.status).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:default' } })
    expect((await config.makeApiClient(VersionApi).getCode()).major).toMatch(/^\d+$/)
    expect((await config.makeApiClient(CoordinationV1Api).listLeaseForAllNamespaces()).items.length).toBeGreaterThan(0)
    expect((await config.makeApiClient(NetworkingV1Api).listIngressForAllNamespaces()).items).toEqual([])
    expect((await config.makeApiClient(BatchV1Api).listJobForAllNamespaces()).items).toEqual([])
    expect((await config.makeApiClient(AutoscalingV1Api).listHorizontalPodAutoscalerForAllNamespaces()).items).toEqual([])
  })

  it('counts the use of nodes; usage itself is absent where no source of metrics is', async () => {
    const nodes = await topNodes(cluster.core)
    expect(nodes).toHaveLength(1)
    expect(Number(nodes[0]?.CPU.Capacity)).toBeGreaterThan(0)
    await expect(new Metrics(cluster.config).getNodeMetrics()).rejects.toMatchObject({ code: 404 })
  })
})
