import { expect, it } from 'vitest'
import { decideDeletion } from '../../src/client/deletion.ts'
import { formatTime, kind, type ResourceDefinition } from '../../src/index.ts'
import { startCluster, type Widget, widget, widgetResource } from './cluster.ts'

const now = Date.UTC(2026, 0, 1)
const object = (metadata: object = {}) => ({ apiVersion: 'v1', kind: 'A', metadata: { name: 'a', generation: 1, ...metadata } })
const graceful = { gracePeriodSeconds: (_: unknown, request: { gracePeriodSeconds?: number }) => request.gracePeriodSeconds ?? 30 }

it('deletes at once what nothing holds', () => {
  expect(decideDeletion(object(), undefined, {}, now)).toEqual({ type: 'delete' })
  expect(decideDeletion(object(), graceful, { gracePeriodSeconds: 0 }, now)).toEqual({ type: 'delete' })
})

it('marks what ends gracefully, and raises the generation once', () => {
  const verdict = decideDeletion(object(), graceful, {}, now)
  expect(verdict).toMatchObject({
    type: 'mark',
    next: { metadata: { deletionTimestamp: formatTime(now + 30_000), deletionGracePeriodSeconds: 30, generation: 2 } },
  })
})

it('shortens a grace period and never lengthens it', () => {
  const dying = object({ deletionTimestamp: formatTime(now + 30_000), deletionGracePeriodSeconds: 30 })
  expect(decideDeletion(dying, graceful, {}, now + 1000)).toEqual({ type: 'pending' })
  expect(decideDeletion(dying, graceful, { gracePeriodSeconds: 60 }, now + 1000)).toEqual({ type: 'pending' })
  expect(decideDeletion(dying, graceful, { gracePeriodSeconds: 10 }, now + 1000)).toMatchObject({
    next: { metadata: { deletionTimestamp: formatTime(now + 10_000), deletionGracePeriodSeconds: 10, generation: 1 } },
  })
  expect(decideDeletion(dying, graceful, { gracePeriodSeconds: 0 }, now + 1000)).toEqual({ type: 'delete' })
})

it('adds and takes away the finalizers of the propagation policy', () => {
  const finalizers = (metadata: object, policy?: 'Orphan' | 'Foreground' | 'Background', strategy = {}) => {
    const verdict = decideDeletion(object(metadata), strategy, policy === undefined ? {} : { propagationPolicy: policy }, now)
    return verdict.type === 'mark' ? verdict.next.metadata.finalizers : verdict.type
  }
  expect(finalizers({}, 'Orphan')).toEqual(['orphan'])
  expect(finalizers({}, 'Foreground')).toEqual(['foregroundDeletion'])
  expect(finalizers({ finalizers: ['x/y', 'orphan'] }, 'Foreground')).toEqual(['x/y', 'foregroundDeletion'])
  expect(finalizers({ finalizers: ['orphan'] })).toEqual(['orphan'])
  expect(finalizers({ finalizers: ['orphan'] }, 'Background')).toBe('delete')
  expect(finalizers({}, undefined, { defaultPropagation: 'Orphan' })).toEqual(['orphan'])
})

it('ends a graceful object by a second deletion with grace 0, as its agent does', async () => {
  const Ember = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Ember', resource: 'embers', namespaced: true })
  const embers: ResourceDefinition = { ...widgetResource, plural: 'embers', kind: 'Ember', shortNames: [], strategy: graceful }
  const { client } = await startCluster({ kinds: [embers] })
  await client.for(Ember).create({ ...widget('a'), kind: 'Ember' })
  expect(await client.for(Ember).delete('default/a')).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } })
  await client.for(Ember).patch('default/a', { type: 'merge', body: { metadata: { labels: { still: 'here' } } } })
  await client.for(Ember).delete('default/a', { gracePeriodSeconds: 0 })
  await expect(client.for(Ember).get('default/a')).rejects.toMatchObject({ reason: 'NotFound' })
})
