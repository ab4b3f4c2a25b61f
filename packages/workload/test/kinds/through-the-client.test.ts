import {
  createHost,
  createMemoryStore,
  definePlugin,
  type KubeObject,
  type ObjectClient,
  ObjectClientCap,
  StoreCap,
  type UnstructuredObject,
} from '@continuo/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigMap, Deployment, EndpointSlice, HorizontalPodAutoscaler, Job, Pod, Secret, Service, workloadKinds } from '../../src/index.ts'

const memoryStore = definePlugin({
  name: 'memory-store',
  api: '^1',
  provides: [StoreCap],
  setup: (ctx) => ctx.provide(StoreCap, createMemoryStore()),
})
const host = createHost({
  name: 'api',
  role: 'control-plane',
  leaderElection: false,
  plugins: [
    { slot: 'store', plugin: memoryStore },
    { slot: 'kinds', plugin: workloadKinds },
  ],
})
let client: ObjectClient

beforeAll(async () => {
  await host.start()
  client = host.use(ObjectClientCap)
})
afterAll(() => host.stop())

const metadata = (name: string) => ({ name, namespace: 'default' })
const container = { name: 'web', image: 'registry.local/web:1' }
const pod = (name: string, spec: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(name),
  spec: { containers: [container], ...spec },
})
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } }
const deployment = (name: string, spec: object = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata(name),
  spec: { selector: { matchLabels: { app: 'web' } }, template, ...spec },
})
const service = (name: string, spec: object = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(name),
  spec: { ports: [{ port: 80 }], ...spec },
})
/** An object that a client without types sends. */
const untyped = <T extends KubeObject>(object: unknown): T => object as T

describe('pods', () => {
  it('are created pending, with a quality of service and without the status that was sent', async () => {
    const created = await client.for(Pod).create({
      ...pod('fresh', { containers: [{ ...container, resources: { limits: { cpu: '0.5', memory: '1024Mi' } } }] }),
      status: { phase: 'Running', podIP: '1.2.3.4' },
    })
    expect(created.status).toEqual({ phase: 'Pending', qosClass: 'Guaranteed' })
    expect(created.spec?.containers[0]?.resources).toEqual({
      limits: { cpu: '500m', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    })
  })

  it('are bound once', async () => {
    await client.for(Pod).create(pod('bound'))
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: metadata('bound'), target: { kind: 'Node', name: 'n1' } }
    await client.for(Pod).subresource('binding').create('default/bound', binding)
    const bound = await client.for(Pod).get('default/bound')
    expect(bound.spec?.nodeName).toBe('n1')
    expect(bound.status?.conditions).toEqual([expect.objectContaining({ type: 'PodScheduled', status: 'True' })])
    await expect(client.for(Pod).subresource('binding').create('default/bound', binding)).rejects.toMatchObject({
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
    })
  })

  it('let their image change and nothing else of their containers', async () => {
    const created = await client.for(Pod).create(pod('frozen'))
    const renewed = {
      ...created,
      spec: { ...created.spec, containers: [{ ...created.spec?.containers[0], image: 'registry.local/web:2' }] },
    }
    const updated = await client.for(Pod).update(untyped<Pod>(renewed))
    expect(updated.spec?.containers[0]?.image).toBe('registry.local/web:2')
    const changed = { ...updated, spec: { ...updated.spec, containers: [{ ...updated.spec?.containers[0], command: ['sh'] }] } }
    await expect(client.for(Pod).update(untyped<Pod>(changed))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining('pod updates may not change fields other than'),
    })
  })

  it('go at once when nobody runs them, and get their grace when somebody does', async () => {
    await client.for(Pod).create(pod('idle'))
    await client.for(Pod).delete('default/idle')
    await expect(client.for(Pod).get('default/idle')).rejects.toMatchObject({ reason: 'NotFound' })
    await client.for(Pod).create(pod('busy', { nodeName: 'n1', terminationGracePeriodSeconds: 7 }))
    const dying = await client.for(Pod).delete('default/busy')
    expect(dying.metadata.deletionGracePeriodSeconds).toBe(7)
    expect((await client.for(Pod).get('default/busy')).metadata.deletionTimestamp).toBeDefined()
  })

  it('take ephemeral containers by their subresource, for good', async () => {
    const created = await client.for(Pod).create(pod('debugged'))
    const debug = { name: 'debug', image: 'busybox:1' }
    const debugged = await client
      .for(Pod)
      .subresource<Pod>('ephemeralcontainers')
      .update('default/debugged', untyped<Pod>({ ...created, spec: { ...created.spec, ephemeralContainers: [debug] } }))
    expect(debugged.spec?.ephemeralContainers?.map(({ name }) => name)).toEqual(['debug'])
    await expect(
      client
        .for(Pod)
        .subresource<Pod>('ephemeralcontainers')
        .update('default/debugged', { ...debugged, spec: { ...debugged.spec!, ephemeralContainers: [] } }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('existing ephemeral containers "debug" may not be removed'),
    })
  })

  it.each([
    [
      'a container list of another type',
      { containers: 'web' },
      'BadRequest',
      'cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'a quantity that is none',
      { containers: [{ ...container, resources: { limits: { cpu: 'much' } } }] },
      'BadRequest',
      'quantities must match the regular expression',
    ],
    ['no container', { containers: [] }, 'Invalid', 'spec.containers: Required value'],
    ['a name twice', { containers: [container, container] }, 'Invalid', 'spec.containers[1].name: Duplicate value: "web"'],
    [
      'a request above its limit',
      { containers: [{ ...container, resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }] },
      'Invalid',
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      'a mount of nothing',
      { containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
      'Invalid',
      'spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ],
    [
      'a port out of range',
      { containers: [{ ...container, ports: [{ containerPort: 70_000 }] }] },
      'Invalid',
      'spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
    [
      'an unknown policy',
      { restartPolicy: 'Sometimes' },
      'Invalid',
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      'a probe without handler',
      { containers: [{ ...container, readinessProbe: {} }] },
      'Invalid',
      'spec.containers[0].readinessProbe: Required value: must specify a handler type',
    ],
    [
      'two volume sources',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/tmp' } }] },
      'Invalid',
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    [
      'an upper-case name',
      { containers: [{ ...container, name: 'Web' }] },
      'Invalid',
      'spec.containers[0].name: Invalid value: "Web": a lowercase RFC 1123 label must consist of',
    ],
  ])('are refused with %s', async (_, spec, reason, message) => {
    await expect(client.for(Pod).create(pod('wrong', spec))).rejects.toMatchObject({ reason, message: expect.stringContaining(message) })
  })
})

describe('deployments', () => {
  it('get the defaults of a rolling update', async () => {
    const { spec } = await client.for(Deployment).create(deployment('defaults'))
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    })
    expect(spec?.template.spec).toMatchObject({ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 })
  })

  it('scale through their subresource, which raises the generation', async () => {
    await client.for(Deployment).create(deployment('scaled'))
    const scale = client.for(Deployment).subresource('scale')
    const before = await scale.get('default/scaled')
    expect(before).toMatchObject({ apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 1 }, status: { selector: 'app=web' } })
    await scale.update('default/scaled', { ...before, spec: { replicas: 4 } })
    expect(await client.for(Deployment).get('default/scaled')).toMatchObject({ spec: { replicas: 4 }, metadata: { generation: 2 } })
    await expect(scale.update('default/scaled', { ...(await scale.get('default/scaled')), spec: { replicas: -1 } })).rejects.toMatchObject({
      reason: 'Invalid',
    })
  })

  it('keep spec and status apart', async () => {
    const created = await client.for(Deployment).create(deployment('split'))
    const reported = await client
      .for(Deployment)
      .updateStatus({ ...created, spec: { ...created.spec!, replicas: 9 }, status: { replicas: 1 } })
    expect(reported).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1 }, metadata: { generation: 1 } })
    const changed = await client.for(Deployment).update({ ...reported, spec: { ...reported.spec!, replicas: 2 }, status: {} })
    expect(changed).toMatchObject({ spec: { replicas: 2 }, status: { replicas: 1 }, metadata: { generation: 2 } })
  })

  it.each([
    [
      'a selector that misses its own pods',
      { selector: { matchLabels: { app: 'other' } } },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
    ['an empty selector', { selector: {} }, 'spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ['no selector', { selector: undefined }, 'spec.selector: Required value'],
    [
      'pods that end',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      'no room to roll',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    ['a negative count', { replicas: -1 }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ])('are refused with %s', async (_, spec, message) => {
    await expect(client.for(Deployment).create(deployment('wrong', spec))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(message),
    })
  })

  it('keep their selector', async () => {
    const created = await client.for(Deployment).create(deployment('fixed'))
    const labels = { app: 'web', tier: 'a' }
    const next = {
      ...created,
      spec: { ...created.spec!, selector: { matchLabels: labels }, template: { ...created.spec!.template, metadata: { labels } } },
    }
    await expect(client.for(Deployment).update(next)).rejects.toMatchObject({
      message: expect.stringMatching(/spec\.selector: Invalid value: .*: field is immutable/),
    })
  })
})

describe('services', () => {
  it('get their defaults', async () => {
    const { spec } = await client.for(Service).create(service('defaults'))
    expect(spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
    })
  })

  it('keep the address that an update does not mention, and refuse another', async () => {
    const created = await client.for(Service).create(service('kept', { clusterIP: '10.0.0.7' }))
    const { clusterIP: _, clusterIPs: __, ...spec } = created.spec!
    expect((await client.for(Service).update({ ...created, spec })).spec).toMatchObject({ clusterIP: '10.0.0.7', clusterIPs: ['10.0.0.7'] })
    const moved = { ...service('kept', { clusterIP: '10.0.0.8' }) }
    await expect(client.for(Service).update(moved)).rejects.toMatchObject({ message: expect.stringContaining('may not change once set') })
  })

  it.each([
    ['two ports without names', { ports: [{ port: 80 }, { port: 81 }] }, 'spec.ports[0].name: Required value'],
    [
      'a node port that its type does not have',
      { ports: [{ port: 80, nodePort: 30_000 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    ['no ports', { ports: [] }, 'spec.ports: Required value'],
    ['an external name without name', { type: 'ExternalName' }, 'spec.externalName: Required value'],
  ])('are refused with %s', async (_, spec, message) => {
    await expect(client.for(Service).create(service('wrong', spec))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining(message),
    })
  })

  it('need a name that begins with a letter', async () => {
    await expect(client.for(Service).create(service('1st'))).rejects.toMatchObject({
      message: expect.stringContaining('a DNS-1035 label must consist of'),
    })
  })
})

describe('secrets and config maps', () => {
  it('merge stringData into data and show it no more', async () => {
    const created = await client
      .for(Secret)
      .create({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('merged'), data: { a: 'eA==' }, stringData: { b: 'y' } })
    expect(created).toMatchObject({ type: 'Opaque', data: { a: 'eA==', b: 'eQ==' } })
    expect(created.stringData).toBeUndefined()
  })

  it('never repeat a secret in an error', async () => {
    const error = await client
      .for(Secret)
      .create({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('leak'), data: { key: 'hunter2!' } })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ reason: 'BadRequest' })
    expect(String(error)).not.toContain('hunter2')
  })

  it('freeze when they are immutable', async () => {
    const created = await client
      .for(ConfigMap)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('frozen'), data: { a: '1' }, immutable: true })
    await expect(client.for(ConfigMap).update({ ...created, data: { a: '2' } })).rejects.toMatchObject({
      message: expect.stringContaining('data: Forbidden: field is immutable when `immutable` is set'),
    })
    const relabelled = await client.for(ConfigMap).update({ ...created, metadata: { ...created.metadata, labels: { a: 'b' } } })
    expect(relabelled.metadata.labels).toEqual({ a: 'b' })
  })

  it('refuse keys that are no file names', async () => {
    await expect(
      client.for(ConfigMap).create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('wrong'), data: { 'a/b': '' } }),
    ).rejects.toMatchObject({ message: expect.stringContaining('data[a/b]: Invalid value: "a/b": a valid config key must consist of') })
  })
})

describe('other kinds', () => {
  it('take an endpoint slice whose endpoints Go wrote as null', async () => {
    const slice = untyped<EndpointSlice>({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: metadata('empty'),
      addressType: 'IPv4',
      endpoints: null,
    })
    expect((await client.for(EndpointSlice).create(slice)).endpoints).toEqual([])
  })

  it('give a job labels that only its own pods bear', async () => {
    const created = await client.for(Job).create({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: metadata('once'),
      spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } },
    })
    expect(created.spec?.selector?.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': created.metadata.uid })
    expect(created.spec?.template.metadata?.labels).toMatchObject({ 'job-name': 'once' })
  })

  it('serve autoscalers in both versions', async () => {
    await client.for(HorizontalPodAutoscaler).create({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: metadata('web'),
      spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'web' } },
    })
    const older = await client.resource({ group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' })
    expect(await older.get('default/web')).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { targetCPUUtilizationPercentage: 80, minReplicas: 1, maxReplicas: 3 },
    })
  })

  it('tell an applier of the older version what an applier of the newer one owns', async () => {
    const scaler = <T = HorizontalPodAutoscaler>(version: string, utilization: object) =>
      ({
        apiVersion: `autoscaling/${version}`,
        kind: 'HorizontalPodAutoscaler',
        metadata: metadata('owned'),
        spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...utilization },
      }) as T
    const cpu = (averageUtilization: number) => ({
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
    })
    const older = await client.resource({ group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' })
    const newer = client.for(HorizontalPodAutoscaler)
    await newer.apply(scaler('v2', cpu(50)), { fieldManager: 'new' })
    await older.apply(scaler<UnstructuredObject>('v1', { targetCPUUtilizationPercentage: 50 }), { fieldManager: 'old' })
    await expect(
      older.apply(scaler<UnstructuredObject>('v1', { targetCPUUtilizationPercentage: 60 }), { fieldManager: 'old' }),
    ).rejects.toMatchObject({
      reason: 'Conflict',
      details: { causes: [{ message: 'conflict with "new"', field: '.spec.metrics' }] },
    })
    await expect(newer.apply(scaler('v2', cpu(70)), { fieldManager: 'new' })).rejects.toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "old": .spec.targetCPUUtilizationPercentage',
    })
  })
})
