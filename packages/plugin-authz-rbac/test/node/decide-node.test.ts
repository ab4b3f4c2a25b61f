import type { DeepReadonly, UserInfo } from '@continuo/core'
import type { PersistentVolumeClaim, Pod } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { decideNode } from '../../src/node/decide-node.ts'
import { claimIndexes, NodeGraph, podIndexes } from '../../src/node/node-graph.ts'
import { asks, asksPath } from '../questions.ts'

const pod = (name: string, spec: Partial<NonNullable<Pod['spec']>>): DeepReadonly<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  spec: { containers: [], ...spec },
})
const pods = [
  pod('web', {
    nodeName: 'n1',
    serviceAccountName: 'robot',
    imagePullSecrets: [{ name: 'pull' }],
    volumes: [
      { name: 'a', secret: { secretName: 'mounted' } },
      { name: 'b', projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'settings' } }] } },
      { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'd', csi: { driver: 'x', nodePublishSecretRef: { name: 'driver' } } },
      { name: 'e', ephemeral: {} },
    ],
    containers: [{ name: 'c', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'in-env', key: 'k' } } }] }],
    initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'env-map' } }] }],
  }),
  pod('other', { nodeName: 'n2', volumes: [{ name: 'a', secret: { secretName: 'foreign' } }] }),
  pod('waiting', { volumes: [{ name: 'a', secret: { secretName: 'unbound' } }] }),
]
const claims: DeepReadonly<PersistentVolumeClaim>[] = [
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: { volumeName: 'disk' } },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'else', namespace: 'shop' }, spec: { volumeName: 'other-disk' } },
]
const graph = new NodeGraph(
  {
    get: (key) =>
      pods.find(({ metadata }) => metadata.name === (key as { name: string }).name && (key as { namespace?: string }).namespace === 'shop'),
    byIndex: (_index, value) => pods.filter((one) => podIndexes.references(one).includes(value)),
  },
  { byIndex: (_index, value) => claims.filter((one) => claimIndexes.volume(one).includes(value)) },
)
const n1: UserInfo = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const decision = (text: string, user = n1) => decideNode(asks(text, user), graph)?.decision

describe('a node may', () => {
  it.each([
    'get core secrets shop/mounted',
    'watch core secrets shop/mounted',
    'list core secrets shop/mounted',
    'get core secrets shop/projected',
    'get core secrets shop/in-env',
    'get core secrets shop/pull',
    'get core secrets shop/driver',
    'get core configmaps shop/settings',
    'get core configmaps shop/env-map',
    'get core persistentvolumeclaims shop/data',
    'get core persistentvolumeclaims shop/web-e',
    'patch core persistentvolumeclaims/status shop/data',
    'get core persistentvolumes -/disk',
    'create core serviceaccounts/token shop/robot',
    'get core pods shop/web',
    'delete core pods shop/web',
    'patch core pods/status shop/web',
    'create core pods/eviction shop/web',
    'create core nodes -',
    'get core nodes -/n1',
    'watch core nodes -/n1',
    'patch core nodes/status -/n1',
    'create coordination.k8s.io leases kube-node-lease',
    'patch coordination.k8s.io leases kube-node-lease/n1',
    'list core services -',
    'watch discovery.k8s.io endpointslices -',
    'create core events shop',
  ])('%s', (text) => {
    expect(decision(text)).toBe('allow')
  })

  it('list the pods that are bound to it', () => {
    expect(decideNode({ ...asks('list core pods -', n1), fieldSelector: 'spec.nodeName=n1' }, graph)?.decision).toBe('allow')
    expect(decideNode({ ...asks('watch core pods -', n1), fieldSelector: 'status.phase!=Failed,spec.nodeName==n1' }, graph)?.decision).toBe(
      'allow',
    )
  })

  it('see what there is', () => {
    expect(decideNode(asksPath('get', '/apis', n1), graph)?.decision).toBe('allow')
  })
})

describe('a node may not', () => {
  it.each([
    ['a secret of a pod elsewhere', 'get core secrets shop/foreign'],
    ['a secret of a pod that is not bound', 'get core secrets shop/unbound'],
    ['a secret of the same name elsewhere', 'get core secrets bank/mounted'],
    ['a secret that nobody mounts', 'get core secrets shop/none'],
    ['a configmap with the name of its secret', 'get core configmaps shop/mounted'],
    ['all secrets', 'list core secrets shop'],
    ['all secrets everywhere', 'list core secrets -'],
    ['change a secret', 'update core secrets shop/mounted'],
    ['delete a secret', 'delete core secrets shop/mounted'],
    ['a foreign volume', 'get core persistentvolumes -/other-disk'],
    ['delete a claim', 'delete core persistentvolumeclaims shop/data'],
    ['a token of an account that runs elsewhere', 'create core serviceaccounts/token shop/boss'],
    ['an account', 'get core serviceaccounts shop/robot'],
    ['a pod elsewhere', 'get core pods shop/other'],
    ['delete a pod elsewhere', 'delete core pods shop/other'],
    ['the status of a pod elsewhere', 'patch core pods/status shop/other'],
    ['a pod that is not bound', 'get core pods shop/waiting'],
    ['all pods', 'list core pods -'],
    ['create pods', 'create core pods shop'],
    ['bind pods', 'create core pods/binding shop/web'],
    ['a shell in its own pod', 'create core pods/exec shop/web'],
    ['another node', 'patch core nodes -/n2'],
    ['the status of another node', 'patch core nodes/status -/n2'],
    ['delete itself', 'delete core nodes -/n1'],
    ['all nodes', 'list core nodes -'],
    ['the lease of another node', 'patch coordination.k8s.io leases kube-node-lease/n2'],
    ['leases elsewhere', 'get coordination.k8s.io leases kube-system/n1'],
    ['all leases', 'list coordination.k8s.io leases kube-node-lease'],
    ['roles', 'get rbac.authorization.k8s.io roles shop/x'],
    ['impersonate', 'impersonate core users -/root'],
  ])('%s', (_name, text) => {
    expect(decision(text)).toBe('none')
  })

  it('pods of another node by its selector', () => {
    for (const fieldSelector of ['spec.nodeName=n2', 'spec.nodeName!=n1', 'spec.nodeName=n1x', ''])
      expect(decideNode({ ...asks('list core pods -', n1), fieldSelector }, graph)?.decision, fieldSelector).toBe('none')
  })
})

it('has no opinion about users that are no nodes, and none that only call themselves so', () => {
  for (const user of [
    { username: 'ann', groups: ['system:nodes'] },
    { username: 'system:node:n1', groups: ['system:authenticated'] },
    { username: 'system:node:', groups: ['system:nodes'] },
  ])
    expect(decideNode(asks('get core secrets shop/mounted', user), graph), user.username).toBeUndefined()
})
