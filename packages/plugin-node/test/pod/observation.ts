import type { Pod, RuntimeContainer, RuntimeSandbox } from '@continuo/workload'
import type { PodObservation } from '../../src/pod/model.ts'

export const now = Date.parse('2026-01-01T00:00:00Z')

export const pod = (spec: Partial<NonNullable<Pod['spec']>> = {}, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u1', generation: 1 },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...spec },
  ...more,
})

export const container = (state: RuntimeContainer['state'], more: Partial<RuntimeContainer> = {}): RuntimeContainer => ({
  id: `x://${more.name ?? 'main'}/${more.attempt ?? 0}`,
  name: 'main',
  attempt: 0,
  kind: 'main',
  image: 'nginx',
  imageId: 'sha256:1',
  hash: 'h',
  state,
  createdAt: now,
  startedAt: now,
  ...more,
})

export const sandbox = (...containers: RuntimeContainer[]): RuntimeSandbox => ({
  id: 's1',
  uid: 'u1',
  namespace: 'default',
  name: 'web',
  state: 'ready',
  ips: ['10.0.0.2'],
  createdAt: now,
  containers,
})

export const seen = (more: Partial<PodObservation> = {}): PodObservation => ({
  pod: pod(),
  now,
  backoff: new Map(),
  problems: new Map(),
  probes: new Map(),
  nodeIPs: ['192.0.2.1'],
  ...more,
})
