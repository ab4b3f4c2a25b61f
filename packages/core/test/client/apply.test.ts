import { expect, it } from 'vitest'
import { startCluster, Widget, widget, widgetResource } from './cluster.ts'

it('applies metadata, status and scale of built-in and custom kinds', async () => {
  for (const custom of [true, false]) {
    const { client } = await startCluster({ kinds: [{ ...widgetResource, custom }] })
    const widgets = client.for(Widget)
    await widgets.apply(widget('a', { size: 1 }, { labels: { a: '1', b: '2' }, annotations: { x: 'y' } }), { fieldManager: 'm' })
    const next = await widgets.apply(widget('a', { size: 1 }, { labels: { a: '1' } }), { fieldManager: 'm' })
    expect([next.metadata.labels, next.metadata.annotations, next.metadata.name]).toEqual([{ a: '1' }, undefined, 'a'])
    expect(next.metadata.managedFields).toMatchObject([
      { manager: 'm', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:a': {} } }, 'f:spec': { 'f:size': {} } } },
    ])
    const status = await widgets.subresource<Widget>('status').patch(
      'default/a',
      {
        type: 'apply',
        body: {
          apiVersion: 'demo.io/v1',
          kind: 'Widget',
          metadata: { name: 'a', namespace: 'default' },
          status: { phase: 'Up' },
        } as never,
      },
      { fieldManager: 's' },
    )
    expect(status.status?.phase).toBe('Up')
    expect(status.metadata.managedFields?.map((entry) => [entry.manager, entry.subresource, entry.operation])).toEqual([
      ['m', undefined, 'Apply'],
      ['s', 'status', 'Apply'],
    ])
    expect(status.spec?.size).toBe(1)
    const scale = await widgets.subresource('scale').patch(
      'default/a',
      {
        type: 'apply',
        force: true,
        body: {
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name: 'a', namespace: 'default' },
          spec: { replicas: 4 },
        } as never,
      },
      { fieldManager: 'sc' },
    )
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 4 } })
  }
})
