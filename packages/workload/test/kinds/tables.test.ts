import type { ResourceDefinition, UnstructuredObject } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import {
  certificateSigningRequestResource,
  cronJobResource,
  deploymentResource,
  endpointSliceResource,
  endpointsResource,
  horizontalPodAutoscalerResource,
  jobResource,
  nodeResource,
  podResource,
  secretResource,
  serviceResource,
  storageClassResource,
  workloadResources,
} from '../../src/index.ts'

const now = Date.parse('2026-01-02T00:00:00Z')
const metadata = { name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T23:50:00Z' }
const rowOf = (resource: ResourceDefinition, object: object): readonly unknown[] | undefined =>
  resource.versions[0]?.table?.row({ metadata, ...object } as unknown as UnstructuredObject, now)
/** The row without the columns of `-o wide`. */
const narrow = (resource: ResourceDefinition, object: object): readonly unknown[] => {
  const columns = resource.versions[0]?.table?.columns ?? []
  return (rowOf(resource, object) ?? []).filter((_, index) => (columns[index]?.priority ?? 0) === 0)
}

const waiting = (reason: string) => ({ state: { waiting: { reason } }, ready: false, restartCount: 0 })
const running = { state: { running: {} }, ready: true, restartCount: 0 }
const ended = (exitCode: number, reason = '') => ({ state: { terminated: { exitCode, reason } }, ready: false, restartCount: 0 })
const spec = { containers: [{ name: 'c' }], initContainers: [{ name: 'i' }] }

describe('the table of pods', () => {
  it.each([
    ['a fresh pod', { status: { phase: 'Pending' } }, ['0/1', 'Pending', '0']],
    ['a running pod', { status: { phase: 'Running', containerStatuses: [running] } }, ['1/1', 'Running', '0']],
    [
      'a pod that cannot pull',
      { status: { phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] } },
      ['0/1', 'ImagePullBackOff', '0'],
    ],
    [
      'a crashing pod',
      {
        status: {
          phase: 'Running',
          containerStatuses: [
            { ...waiting('CrashLoopBackOff'), restartCount: 3, lastState: { terminated: { finishedAt: '2026-01-01T23:59:30Z' } } },
          ],
        },
      },
      ['0/1', 'CrashLoopBackOff', '3 (30s ago)'],
    ],
    ['an initializing pod', { status: { phase: 'Pending', initContainerStatuses: [running] } }, ['0/1', 'Init:0/1', '0']],
    ['a failed init container', { status: { phase: 'Pending', initContainerStatuses: [ended(2)] } }, ['0/1', 'Init:ExitCode:2', '0']],
    ['a completed pod', { status: { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] } }, ['0/1', 'Completed', '0']],
    [
      'a killed pod',
      { status: { phase: 'Failed', containerStatuses: [{ ...ended(137), state: { terminated: { exitCode: 137, signal: 9 } } }] } },
      ['0/1', 'Signal:9', '0'],
    ],
    ['an evicted pod', { status: { phase: 'Failed', reason: 'Evicted' } }, ['0/1', 'Evicted', '0']],
    [
      'a gated pod',
      { status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } },
      ['0/1', 'SchedulingGated', '0'],
    ],
    [
      'a terminating pod',
      { metadata: { ...metadata, deletionTimestamp: 'x' }, status: { phase: 'Running', containerStatuses: [running] } },
      ['1/1', 'Terminating', '0'],
    ],
    [
      'a lost pod',
      { metadata: { ...metadata, deletionTimestamp: 'x' }, status: { phase: 'Running', reason: 'NodeLost' } },
      ['0/1', 'Unknown', '0'],
    ],
  ])('shows %s', (_, object, [ready, status, restarts]) => {
    expect(narrow(podResource, { spec, ...object })).toEqual(['a', ready, status, restarts, '10m'])
  })

  it('counts a sidecar among the containers', () => {
    const withSidecar = { containers: [{ name: 'c' }], initContainers: [{ name: 's', restartPolicy: 'Always' }] }
    const status = { phase: 'Running', containerStatuses: [running], initContainerStatuses: [{ ...running, name: 's', started: true }] }
    expect(narrow(podResource, { spec: withSidecar, status }).slice(1, 3)).toEqual(['2/2', 'Running'])
  })
})

describe('the other tables', () => {
  it.each<[string, ResourceDefinition, object, readonly unknown[]]>([
    [
      'deployments',
      deploymentResource,
      { spec: { replicas: 3, template: {} }, status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } },
      ['a', '2/3', 3, 1, '10m'],
    ],
    [
      'services',
      serviceResource,
      {
        spec: {
          type: 'NodePort',
          clusterIP: '10.0.0.1',
          ports: [
            { port: 80, nodePort: 30_080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
        },
      },
      ['a', 'NodePort', '10.0.0.1', '<none>', '80:30080/TCP,53/UDP', '10m'],
    ],
    [
      'a load balancer that waits',
      serviceResource,
      { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } },
      ['a', 'LoadBalancer', '10.0.0.1', '<pending>', '<none>', '10m'],
    ],
    [
      'nodes',
      nodeResource,
      {
        metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '' } },
        spec: { unschedulable: true },
        status: { conditions: [{ type: 'Ready', status: 'False' }], nodeInfo: { kubeletVersion: 'v1' } },
      },
      ['a', 'NotReady,SchedulingDisabled', 'worker', '10m', 'v1'],
    ],
    [
      'endpoints',
      endpointsResource,
      { subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }], ports: [{ port: 80 }, { port: 81 }] }] },
      ['a', '1.1.1.1:80,1.1.1.2:80,1.1.1.1:81 + 1 more...', '10m'],
    ],
    [
      'endpoint slices',
      endpointSliceResource,
      { addressType: 'IPv4', ports: [{ port: 80 }], endpoints: [{ addresses: ['1.1.1.1'] }] },
      ['a', 'IPv4', '80', '1.1.1.1', '10m'],
    ],
    ['secrets', secretResource, { type: 'Opaque', data: { a: '', b: '' } }, ['a', 'Opaque', 2, '10m']],
    [
      'jobs',
      jobResource,
      { spec: { completions: 2, template: {} }, status: { succeeded: 1, startTime: '2026-01-01T23:58:30Z' } },
      ['a', 'Running', '1/2', '90s', '10m'],
    ],
    [
      'cron jobs',
      cronJobResource,
      { spec: { schedule: '* * * * *', suspend: false, jobTemplate: {} }, status: { lastScheduleTime: '2026-01-01T23:59:00Z' } },
      ['a', '* * * * *', '<none>', 'False', 0, '60s', '10m'],
    ],
    [
      'autoscalers',
      horizontalPodAutoscalerResource,
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'd' },
          minReplicas: 1,
          maxReplicas: 4,
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
        },
      },
      ['a', 'Deployment/d', 'cpu: <unknown>/80%', '1', 4, 0, '10m'],
    ],
    [
      'the default storage class',
      storageClassResource,
      { metadata: { ...metadata, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'p' },
      ['a (default)', 'p', 'Delete', 'Immediate', 'false', '10m'],
    ],
    [
      'signing requests',
      certificateSigningRequestResource,
      {
        spec: { signerName: 's/n', username: 'u', expirationSeconds: 3600 },
        status: { conditions: [{ type: 'Approved' }], certificate: 'x' },
      },
      ['a', '10m', 's/n', 'u', '60m', 'Approved,Issued'],
    ],
  ])('show %s', (_, resource, object, row) => {
    expect(narrow(resource, object)).toEqual(row)
  })

  it('survive an object of which nothing is known but its name', () => {
    for (const resource of workloadResources) {
      const table = resource.versions[0]?.table
      // Required parts of a spec are there once an object was admitted.
      const bare = { provisioner: '', roleRef: {}, handler: '', spec: { template: {}, jobTemplate: {}, scaleTargetRef: {} } }
      if (table !== undefined) expect(rowOf(resource, bare), resource.plural).toHaveLength(table.columns.length)
    }
  })
})
