import type { Deployment, DeploymentSpec, Pod, ReplicaSet, Service, ServiceSpec } from '@continuo/workload'

/** Seconds after the beginning of 2026. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString().replace('.000', '')
export const ms = (seconds: number): number => Date.parse(at(seconds))

export const deploymentOf = (replicas: number, spec: Partial<DeploymentSpec> = {}, image = 'v1'): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', uid: 'd', generation: 1 },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } } as never, spec: { containers: [{ name: 'main', image }] } },
    ...spec,
  },
})

export const setOf = (
  name: string,
  replicas: number,
  more: { available?: number; image?: string; created?: number; annotations?: Record<string, string>; has?: number } = {},
): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    generation: 1,
    creationTimestamp: at(more.created ?? 0),
    labels: { app: 'web', 'pod-template-hash': name },
    annotations: more.annotations ?? {},
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd', controller: true }],
  },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web', 'pod-template-hash': name } },
    template: {
      metadata: { labels: { app: 'web', 'pod-template-hash': name } } as never,
      spec: { containers: [{ name: 'main', image: more.image ?? name }] },
    },
  },
  status: {
    replicas: more.has ?? replicas,
    readyReplicas: more.available ?? replicas,
    availableReplicas: more.available ?? replicas,
    observedGeneration: 1,
  },
})

export interface PodOptions {
  readonly ready?: boolean
  readonly readyAt?: number
  readonly created?: number
  readonly node?: string
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  readonly deleted?: boolean
  readonly ip?: string
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly restarts?: number
  readonly owner?: string
  readonly ports?: { name?: string; containerPort: number; protocol?: 'TCP' | 'UDP' }[]
}

export const podOf = (name: string, o: PodOptions = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    uid: name,
    creationTimestamp: at(o.created ?? 0),
    labels: o.labels ?? { app: 'web' },
    ...(o.annotations && { annotations: o.annotations }),
    ...(o.deleted && { deletionTimestamp: at(100) }),
    ...(o.owner && { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: o.owner, uid: o.owner, controller: true }] }),
  },
  spec: {
    containers: [{ name: 'main', image: 'x', ports: o.ports ?? [{ name: 'http', containerPort: 8080 }] }],
    ...(o.node === '' ? {} : { nodeName: o.node ?? 'n1' }),
  },
  status: {
    phase: o.phase ?? 'Running',
    ...(o.ip !== undefined && { podIP: o.ip, podIPs: [{ ip: o.ip }] }),
    conditions: [{ type: 'Ready', status: (o.ready ?? true) ? 'True' : 'False', lastTransitionTime: at(o.readyAt ?? 0) }],
    containerStatuses: [{ name: 'main', image: 'x', imageID: '', ready: o.ready ?? true, restartCount: o.restarts ?? 0 }],
  },
})

export const serviceOf = (spec: Partial<ServiceSpec> = {}, name = 'web'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', uid: `service-${name}`, labels: { tier: 'front' } },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }], ...spec },
})
