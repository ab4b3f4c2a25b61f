import { describe, expect, it } from 'vitest'
import { updateManagedFields } from '../../src/apply/index.ts'
import type { ManagedFieldsEntry } from '../../src/objects/object.ts'
import { edit, entryOf, fieldsOf, later, now, widget, widgetSchema, write } from './widget.ts'

const created = () =>
  write(
    undefined,
    'alice',
    widget(
      {
        replicas: 1,
        selector: { a: '1' },
        workers: [{ name: 'x', cmd: 'go' }],
        tags: ['t'],
        args: ['1'],
        limits: { low: 1 },
        frozen: { k: 'v' },
      },
      { labels: { l: '1' } },
    ),
  )

describe('managed fields of creates and updates', () => {
  it('give the creator everything but what nobody owns', () => {
    expect(created().metadata.managedFields).toEqual([
      {
        manager: 'alice',
        operation: 'Update',
        apiVersion: 'demo.io/v1',
        time: now,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
          'f:spec': {
            'f:args': {},
            'f:frozen': {},
            'f:limits': { 'f:low': {} },
            'f:replicas': {},
            'f:selector': { '.': {}, 'f:a': {} },
            'f:tags': { '.': {}, 'v:"t"': {} },
            'f:workers': { '.': {}, 'k:{"name":"x"}': { '.': {}, 'f:cmd': {}, 'f:name': {} } },
          },
        },
      },
    ])
  })

  it('move what changes to whoever changes it', () => {
    const before = created()
    const after = write(
      before,
      'bob',
      edit(before, (o) => {
        o.spec.replicas = 2
        o.spec.workers[0].cpu = 4
        o.spec.frozen.k = 'w'
      }),
      later,
    )
    expect(fieldsOf(after, 'bob')).toEqual({
      'f:spec': { 'f:frozen': {}, 'f:replicas': {}, 'f:workers': { 'k:{"name":"x"}': { 'f:cpu': {} } } },
    })
    const alice = fieldsOf(after, 'alice') as { 'f:spec': object }
    expect(alice['f:spec']).not.toHaveProperty('f:replicas')
    expect(alice['f:spec']).not.toHaveProperty('f:frozen')
    expect([entryOf(after, 'alice')?.time, entryOf(after, 'bob')?.time]).toEqual([now, later])
  })

  it('are the very same list when nothing that can be owned changes', () => {
    const before = created()
    const next = edit(before, (o) => {
      o.metadata.resourceVersion = '7'
      o.metadata.generation = 3
      o.metadata.uid = 'u'
    })
    expect(updateManagedFields({ schema: widgetSchema, old: before, next, manager: 'bob', apiVersion: 'demo.io/v1', now: later })).toBe(
      before.metadata.managedFields,
    )
  })

  it('forget what is removed, and owners that own nothing', () => {
    const before = created()
    const both = write(
      before,
      'bob',
      edit(before, (o) => {
        o.metadata.labels.b = '2'
      }),
    )
    const after = write(
      both,
      'carol',
      edit(both, (o) => {
        delete o.metadata.labels.b
        delete o.spec.workers
      }),
    )
    expect(after.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['alice'])
    expect((fieldsOf(after, 'alice') as { 'f:spec': object })['f:spec']).not.toHaveProperty('f:workers')
  })

  it('keep subresources apart', () => {
    const before = created()
    const after = write(
      before,
      'alice',
      edit(before, (o) => {
        o.status = { ready: true }
      }),
      later,
      'status',
    )
    expect(after.metadata.managedFields?.map(({ manager, subresource }) => [manager, subresource])).toEqual([
      ['alice', undefined],
      ['alice', 'status'],
    ])
    expect(after.metadata.managedFields?.[1]?.fieldsV1).toEqual({ 'f:status': { 'f:ready': {} } })
  })

  it('never own ignored paths', () => {
    const next = { ...widget({ replicas: 1 }), status: { ready: true } }
    const entries = updateManagedFields({
      schema: widgetSchema,
      old: undefined,
      next,
      manager: 'a',
      apiVersion: 'demo.io/v1',
      now,
      ignored: { 'f:status': {} },
    })
    expect(entries?.[0]?.fieldsV1).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  it('leave the owners of ignored paths alone', () => {
    const before = write(undefined, 'alice', widget({ replicas: 1 }))
    const ready = write(
      before,
      'agent',
      edit(before, (o) => {
        o.status = { ready: true }
      }),
      now,
      'status',
    )
    const next = edit(ready, (o) => {
      o.status.ready = false
      o.spec.replicas = 2
    })
    const entries = updateManagedFields({
      schema: widgetSchema,
      old: ready,
      next,
      manager: 'bob',
      apiVersion: 'demo.io/v1',
      now,
      ignored: { 'f:status': {} },
    })
    expect(entries?.map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
      ['agent', { 'f:status': { 'f:ready': {} } }],
      ['bob', { 'f:spec': { 'f:replicas': {} } }],
    ])
  })

  it('are kept when a client that does not know them leaves them out', () => {
    const before = created()
    const after = write(
      before,
      'bob',
      edit(before, (o) => {
        delete o.metadata.managedFields
        o.spec.mode = 'm'
      }),
    )
    expect(after.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['alice', 'bob'])
  })

  it('can be edited, and reset by a list with one empty entry', () => {
    const before = created()
    const renamed = write(
      before,
      'bob',
      edit(before, (o) => {
        o.metadata.managedFields[0].manager = 'dave'
      }),
    )
    expect(renamed.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['dave'])
    const reset = write(
      before,
      'bob',
      edit(before, (o) => {
        o.metadata.managedFields = [{}]
      }),
    )
    expect(reset.metadata.managedFields).toBeUndefined()
    expect(
      write(
        reset,
        'bob',
        edit(reset, (o) => {
          o.spec.replicas = 9
        }),
      ).metadata.managedFields,
    ).toBeUndefined()
  })

  it('ignore malformed entries', () => {
    const before = created()
    const broken = edit(before, (o) => {
      o.metadata.managedFields = [{ manager: 'x', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { nope: {} } }]
    })
    expect(write(before, 'bob', broken).metadata.managedFields).toEqual(before.metadata.managedFields)
  })

  it('join the oldest updaters when there are more than ten', () => {
    let object = created()
    for (let i = 0; i < 30; i++) {
      const time = `2026-02-${String(i + 1).padStart(2, '0')}T00:00:00Z`
      object = write(
        object,
        `m${i}`,
        edit(object, (o) => {
          o.metadata.labels[`l${i}`] = 'x'
        }),
        time,
      )
      expect(object.metadata.managedFields?.length).toBeLessThanOrEqual(10)
    }
    const ancient = entryOf(object, 'ancient-changes') as ManagedFieldsEntry
    expect(ancient.fieldsV1).toMatchObject({
      'f:metadata': { 'f:labels': { 'f:l': {}, 'f:l0': {}, 'f:l20': {} } },
      'f:spec': { 'f:replicas': {} },
    })
    expect(entryOf(object, 'm29')?.fieldsV1).toEqual({ 'f:metadata': { 'f:labels': { 'f:l29': {} } } })
  })

  it('cope with repeated list elements', () => {
    const before = write(
      undefined,
      'alice',
      widget({
        workers: [
          { name: 'x', cpu: 1 },
          { name: 'x', cpu: 2 },
        ],
        tags: ['a', 'a'],
      }),
    )
    const after = write(
      before,
      'bob',
      edit(before, (o) => {
        o.spec.workers[1].cpu = 3
      }),
    )
    expect(fieldsOf(after, 'bob')).toEqual({ 'f:spec': { 'f:workers': { 'k:{"name":"x"}': {} } } })
  })

  it('stay cheap for an object of some kilobytes (0.2 ms on a quiet machine)', () => {
    const workers = Array.from({ length: 20 }, (_, i) => ({
      name: `worker-${i}`,
      cmd: 'x'.repeat(60),
      cpu: i,
      ports: [{ port: 80, protocol: 'TCP', title: 'web' }],
    }))
    const before = write(
      undefined,
      'alice',
      widget({ replicas: 1, workers, selector: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, 'v'.repeat(20)])) }),
    )
    const changed = edit(before, (o) => {
      o.spec.replicas = 2
      o.spec.workers[7].cmd = 'y'
    })
    const run = (next: typeof before) =>
      updateManagedFields({ schema: widgetSchema, old: before, next, manager: 'bob', apiVersion: 'demo.io/v1', now: later })
    const median = (next: typeof before): number => {
      for (let i = 0; i < 200; i++) run(next)
      const times = Array.from({ length: 101 }, () => {
        const start = performance.now()
        run(next)
        return performance.now() - start
      })
      return times.sort((a, b) => a - b)[50] as number
    }
    const figures = { bytes: JSON.stringify(widget({ workers })).length, changed: median(changed), same: median(edit(before, () => {})) }
    if (process.env.SHOW_FIGURES) console.log(figures)
    expect(figures.changed).toBeLessThan(2)
    expect(figures.same).toBeLessThan(2)
  })
})
