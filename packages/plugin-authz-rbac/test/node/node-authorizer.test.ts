import { Lease, type ObjectClient } from '@continuo/core'
import { Node, Pod, Secret } from '@continuo/workload'
import { expect, it } from 'vitest'
import { nodeAuthorizer } from '../../src/index.ts'
import { eventually, startControlPlane } from '../control-plane.ts'

const forbidden = (why: string) => ({ reason: 'Forbidden', message: expect.stringContaining(why) })
const node = (name: string, labels: Record<string, string> = {}): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } })

async function startWithNode(): Promise<{ readonly client: ObjectClient; readonly n1: ObjectClient }> {
  const { client, as } = await startControlPlane({ node: nodeAuthorizer })
  for (const name of ['mounted', 'other'])
    await client.for(Secret).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' } })
  for (const [name, nodeName, secretName] of [
    ['web', 'n1', 'mounted'],
    ['far', 'n2', 'other'],
  ] as const)
    await client.for(Pod).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [{ name: 'c', image: 'x' }], volumes: [{ name: 's', secret: { secretName } }] },
    })
  const n1 = as('system:node:n1', 'system:nodes')
  await eventually(() => n1.for(Pod).get('default/web'))
  return { client, n1 }
}

it('reads the secrets of its pods while they run on it, and no others', async () => {
  const { client, n1 } = await startWithNode()
  await n1.for(Secret).get('default/mounted')
  await expect(n1.for(Secret).get('default/other')).rejects.toMatchObject(forbidden('cannot get resource "secrets"'))
  await expect(n1.for(Secret).list({ namespace: 'default' })).rejects.toMatchObject({ reason: 'Forbidden' })
  await client.for(Pod).delete('default/web', { gracePeriodSeconds: 0 })
  await eventually(() => expect(n1.for(Secret).get('default/mounted')).rejects.toMatchObject({ reason: 'Forbidden' }))
})

it('registers itself and no other node, and gives itself neither restricted labels nor taints afterwards', async () => {
  const { client, n1 } = await startWithNode()
  const nodes = n1.for(Node)
  await expect(nodes.create(node('n2'))).rejects.toMatchObject(forbidden('node "n1" is not allowed to modify node "n2"'))
  const own = 'node-restriction.kubernetes.io/secure'
  await expect(nodes.create(node('n1', { [own]: 'yes' }))).rejects.toMatchObject(forbidden('is not allowed to modify labels'))
  await nodes.create({ ...node('n1', { zone: 'a' }), spec: { taints: [{ key: 'new', effect: 'NoSchedule' }] } })
  await nodes.patch('n1', { type: 'merge', body: { metadata: { labels: { zone: 'b' } } } })
  await expect(nodes.patch('n1', { type: 'merge', body: { metadata: { labels: { [own]: 'yes' } } } })).rejects.toMatchObject(forbidden(own))
  await expect(nodes.patch('n1', { type: 'merge', body: { spec: { taints: null } } })).rejects.toMatchObject(forbidden('modify taints'))
  await client.for(Node).create(node('n2'))
  await expect(nodes.patch('n2', { type: 'merge', body: { metadata: { labels: { zone: 'b' } } } })).rejects.toMatchObject({
    reason: 'Forbidden',
  })
  await expect(nodes.delete('n1')).rejects.toMatchObject({ reason: 'Forbidden' })
})

it('keeps its own lease alone', async () => {
  const { n1 } = await startWithNode()
  const lease = (name: string): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease' },
  })
  await n1.for(Lease).create(lease('n1'))
  await expect(n1.for(Lease).create(lease('n2'))).rejects.toMatchObject(forbidden('same name as the requesting node'))
})

it('reports on its own pods, deletes them, and touches no others', async () => {
  const { n1 } = await startWithNode()
  const running = { type: 'merge', body: { status: { phase: 'Running' } } } as const
  await n1.for(Pod).subresource('status').patch('default/web', running)
  await expect(n1.for(Pod).subresource('status').patch('default/far', running)).rejects.toMatchObject({ reason: 'Forbidden' })
  await expect(n1.for(Pod).delete('default/far')).rejects.toMatchObject({ reason: 'Forbidden' })
  await n1.for(Pod).delete('default/web', { gracePeriodSeconds: 0 })
})
