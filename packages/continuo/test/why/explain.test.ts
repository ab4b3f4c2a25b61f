import type { Decision, UnstructuredObject } from '@continuo/core'
import { describe, expect, it } from 'vitest'
import { type Evidence, explain } from '../../src/why/explain.ts'
import { findKind, parseTarget } from '../../src/why/gather.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const decision = (id: string, more: Partial<Decision>): Decision => ({
  id,
  actor: 'scheduler',
  object: { kind: 'Pod', namespace: 'default', name: 'web' },
  code: 'X',
  message: 'm',
  time: now - 60_000,
  ...more,
})
const evidence = (more: Partial<Evidence>): Evidence => ({
  kind: 'Pod',
  namespace: 'default',
  name: 'web',
  decisions: [],
  causes: new Map(),
  events: [],
  successors: [],
  now,
  ...more,
})
const pod = (status: Record<string, unknown>, metadata: Partial<UnstructuredObject['metadata']> = {}): UnstructuredObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: {},
  status,
})

describe('explain', () => {
  it('says which nodes refuse a pending pod, and why', () => {
    const message = '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.'
    const lines = explain(
      evidence({
        object: pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] }),
        decisions: [
          decision('1', {
            code: 'FailedScheduling',
            message,
            details: { reasons: { 'Insufficient cpu': 2, 'node(s) were unschedulable': 1 } },
          }),
        ],
      }),
    )
    expect(lines.slice(0, 3)).toEqual([
      `Pod default/web is Pending: ${message}`,
      '  2 nodes: Insufficient cpu',
      '  1 node: node(s) were unschedulable',
    ])
  })

  it('follows the causes of a replaced pod to the rollout', () => {
    const rollout = decision('a', {
      actor: 'deployment',
      object: { kind: 'ReplicaSet', namespace: 'default', name: 'web-1' },
      message: 'Scaled down replica set web-1 from 3 to 2',
    })
    const gone = decision('b', {
      actor: 'replica-set',
      code: 'ReplicaDeleted',
      message: 'ReplicaSet default/web-1 wants 2 replicas',
      cause: 'a',
    })
    const lines = explain(evidence({ decisions: [gone], causes: new Map([['a', rollout]]), successors: ['web-2-abc'] }))
    expect(lines.slice(0, 3)).toEqual([
      'Pod default/web is gone: ReplicaSet default/web-1 wants 2 replicas',
      '  because deployment decided on ReplicaSet web-1: Scaled down replica set web-1 from 3 to 2',
      '  in its place: web-2-abc',
    ])
  })

  it('shows why a container waits and how it ended before', () => {
    const status = {
      phase: 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True' }],
      containerStatuses: [
        {
          name: 'main',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
          lastState: { terminated: { exitCode: 2, reason: 'Error' } },
        },
      ],
    }
    expect(explain(evidence({ object: pod(status) }))[0]).toBe(
      'Pod default/web is Running: container main waits: CrashLoopBackOff: back-off 40s; its last run ended with exit code 2 (Error)',
    )
  })

  it('admits when nothing is known', () => {
    expect(explain(evidence({}))[0]).toContain('does not exist, and nothing is known of one')
  })

  it('ends with what happened, in order', () => {
    const lines = explain(
      evidence({
        object: pod({ phase: 'Running', conditions: [{ type: 'PodScheduled', status: 'True' }] }),
        decisions: [decision('1', { code: 'Scheduled', message: 'assigned to n1' })],
        events: [{ type: 'Normal', reason: 'Started', message: 'Started container main', count: 2, last: '2026-01-01T00:09:30Z' }],
      }),
    )
    expect(lines.slice(-2)).toEqual([
      '     60s ago  scheduler: Scheduled: assigned to n1',
      '     30s ago  Started (2 times): Started container main',
    ])
  })
})

describe('parseTarget', () => {
  it.each(['pod', 'pod/', '/web', 'a/b/c'])('refuses %j with a hint', (target) => {
    expect(() => parseTarget(target)).toThrow(expect.objectContaining({ code: 'WHY_TARGET', hint: expect.stringContaining('KIND/NAME') }))
  })
})

describe('the kind that is asked about', () => {
  const served = (kind: string, resource: string, ...shortNames: string[]) => ({
    group: '',
    version: 'v1',
    kind,
    resource,
    namespaced: true,
    shortNames,
  })
  const kinds = [served('Pod', 'pods', 'po'), served('Deployment', 'deployments', 'deploy'), served('Po', 'pos')]

  it.each([
    ['Pod', 'pods'],
    ['pods', 'pods'],
    ['deploy', 'deployments'],
    ['DEPLOY', 'deployments'],
    ['po', 'pos'],
  ])('%s is found by its name, its plural, then its short name', (asked, resource) => {
    expect(findKind(kinds, asked).resource).toBe(resource)
  })

  it('is refused when nothing is called so', () => {
    expect(() => findKind(kinds, 'svc')).toThrow('this cluster serves no kind "svc"')
  })
})
