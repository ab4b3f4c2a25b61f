import { Node, Pod } from '@continuo/workload'
import { startTestCluster } from 'continuo/testing'
import { expect, it } from 'vitest'
import quietHours from '../src/index.ts'

const pod = (name: string, labels: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec: { containers: [{ name: 'main', image: 'x' }] },
})

it('keeps loud pods off quiet nodes and says why when there is no other', async () => {
  await using cluster = await startTestCluster({ nodes: 2, plugins: { 'quiet-hours': quietHours } })
  const pods = cluster.client.for(Pod)
  await cluster.client.for(Node).patch('node-1', { type: 'merge', body: { metadata: { labels: { quiet: 'true' } } } })
  await pods.create(pod('loud-1', { loud: 'true' }))
  await cluster.eventually(async () => expect((await pods.get('default/loud-1')).spec?.nodeName).toBe('node-2'))
  await cluster.client.for(Node).patch('node-2', { type: 'merge', body: { metadata: { labels: { quiet: 'true' } } } })
  await pods.create(pod('loud-2', { loud: 'true' }))
  await cluster.eventually(async () => {
    const condition = (await pods.get('default/loud-2')).status?.conditions?.find((other) => other.type === 'PodScheduled')
    expect(condition?.message).toContain('2 node(s) wanted to be left in peace')
  })
})
