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

it('an apply through scale owns the replicas under its own name, conflicts, is forced, and gives up what it leaves out', async () => {
  const { client } = await startCluster({ kinds: [widgetResource] })
  const widgets = client.for(Widget)
  await widgets.apply(widget('a', { owner: 'a', size: 2 }), { fieldManager: 'main' })
  const scale = (spec: object, fieldManager: string, force = false) =>
    widgets.subresource('scale').patch(
      'default/a',
      {
        type: 'apply',
        force,
        body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a', namespace: 'default' }, spec } as never,
      },
      { fieldManager },
    )
  const owners = async () =>
    Object.fromEntries(
      ((await widgets.get('default/a')).metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
        `${manager} ${operation} ${subresource ?? ''}`.trim(),
        (fieldsV1 as Record<string, object>)['f:spec'],
      ]),
    )
  await expect(scale({ replicas: 4 }, 'scaler')).rejects.toMatchObject({
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "main": .spec.replicas',
  })
  await widgets.patch('default/a', { type: 'merge', body: { spec: { size: 3 } } }, { fieldManager: 'edit' })
  await expect(scale({ replicas: 4 }, 'scaler')).rejects.toMatchObject({
    message: 'Apply failed with 1 conflict: conflict with "edit" using autoscaling/v1: .spec.replicas',
  })
  expect(await scale({ replicas: 4 }, 'scaler', true)).toMatchObject({ spec: { replicas: 4 } })
  expect(await owners()).toEqual({ 'main Apply': { 'f:owner': {} }, 'scaler Apply scale': { 'f:size': {} } })
  // The main resource sees the owner of the subresource, and leaves to it what it no longer names.
  await expect(widgets.apply(widget('a', { owner: 'a', size: 5 }), { fieldManager: 'main' })).rejects.toMatchObject({
    message: 'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale": .spec.size',
  })
  await widgets.apply(widget('a', { owner: 'b' }), { fieldManager: 'main' })
  expect((await widgets.get('default/a')).spec).toEqual({ owner: 'b', size: 4 })
  expect(await owners()).toEqual({ 'main Apply': { 'f:owner': {} }, 'scaler Apply scale': { 'f:size': {} } })
  // Nobody owns the replicas any longer: they are what they are by default.
  await scale({}, 'scaler')
  expect((await widgets.get('default/a')).spec).toEqual({ owner: 'b', size: 1 })
})
