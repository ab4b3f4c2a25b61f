import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastAppliedAnnotation } from '../../src/apply/index.ts'
import type { UnstructuredObject } from '../../src/objects/object.ts'
import { canonicalJson } from '../../src/schema/index.ts'
import { apply, edit, entryOf, fieldsOf, later, now, widget, write } from './widget.ts'

const specOf = (object: UnstructuredObject) => object.spec as { workers: { name: string }[]; replicas?: number }

describe('server-side apply', () => {
  it('creates the object and owns what the configuration names', () => {
    const object = apply(
      undefined,
      'a',
      widget({ replicas: 1, workers: [{ name: 'x', ports: [{ port: 80 }] }], selector: { k: 'v' }, free: { p: { q: [1] } }, limits: {} }),
    )
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'demo.io/v1',
        time: now,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:free': { 'f:p': { '.': {}, 'f:q': {} } },
            'f:limits': {},
            'f:replicas': {},
            'f:selector': { 'f:k': {} },
            'f:workers': {
              'k:{"name":"x"}': { '.': {}, 'f:name': {}, 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } },
            },
          },
        },
      },
    ])
  })

  it('is the very same object when applied again, even later and with the nulls that clients send along', () => {
    const once = edit(apply(undefined, 'a', widget({ replicas: 1 })), (o) => {
      o.metadata.creationTimestamp = now
      o.metadata.uid = 'u'
    })
    expect(apply(once, 'a', widget({ replicas: 1 }, { creationTimestamp: null }), { now: later })).toBe(once)
  })

  it('removes what the manager names no more, and nothing else', () => {
    const one = apply(
      undefined,
      'a',
      widget(
        {
          replicas: 1,
          mode: 'x',
          selector: { k: 'v', l: 'w' },
          tags: ['s', 't'],
          workers: [{ name: 'x' }, { name: 'y' }],
          limits: { low: 1 },
        },
        { labels: { l: '1' } },
      ),
    )
    const two = apply(one, 'b', widget({ mode: 'x', tags: ['t'], workers: [{ name: 'y', cpu: 1 }] }))
    const three = apply(two, 'a', widget({ replicas: 1, selector: { k: 'v' } }))
    expect(specOf(three)).toEqual({ replicas: 1, mode: 'x', selector: { k: 'v' }, tags: ['t'], workers: [{ name: 'y', cpu: 1 }] })
    expect(three.metadata.labels).toBeUndefined()
    expect(three.metadata.name).toBe('a')
  })

  it('keeps what an update by somebody else owns', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1, mode: 'x' }))
    const scaled = write(
      one,
      'scaler',
      edit(one, (o) => {
        o.spec.replicas = 5
      }),
    )
    expect(specOf(apply(scaled, 'a', widget({ mode: 'x' })))).toEqual({ replicas: 5, mode: 'x' })
  })

  it('removes a list element with the defaults below it that nobody owns', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1, workers: [{ name: 'x' }] }))
    const defaulted = edit(one, (o) => {
      o.spec.workers[0].cmd = 'defaulted'
    })
    expect(specOf(apply(defaulted, 'a', widget({ replicas: 1 })))).toEqual({ replicas: 1 })
  })

  it('refuses to change what others own, in the words that kubectl prints', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1 }))
    const live = write(
      one,
      'scaler',
      edit(one, (o) => {
        o.spec.replicas = 5
        o.spec.workers = [{ name: 'x', cmd: 'go' }]
      }),
    )
    expect(() => apply(live, 'a', widget({ replicas: 2 }))).toThrow(
      expect.objectContaining({
        reason: 'Conflict',
        status: 409,
        message: 'Apply failed with 1 conflict: conflict with "scaler" using demo.io/v1: .spec.replicas',
        details: {
          causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "scaler" using demo.io/v1', field: '.spec.replicas' }],
        },
      }),
    )
    const other = apply(live, 'c', widget({ mode: 'm' }))
    expect(() => apply(other, 'b', widget({ replicas: 2, mode: 'n', workers: [{ name: 'x', cmd: 'stop' }] }))).toThrow(
      expect.objectContaining({
        message:
          'Apply failed with 3 conflicts: conflicts with "c":\n- .spec.mode\nconflicts with "scaler" using demo.io/v1:\n- .spec.replicas\n- .spec.workers[name="x"].cmd',
      }),
    )
  })

  it('names the subresource of an owner', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1 }))
    const live = write(
      one,
      'scaler',
      edit(one, (o) => {
        o.spec.replicas = 5
      }),
      now,
      'scale',
    )
    expect(() => apply(live, 'a', widget({ replicas: 2 }))).toThrow(
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using demo.io/v1: .spec.replicas',
    )
  })

  it('takes over when forced', () => {
    const live = write(undefined, 'scaler', widget({ replicas: 5, mode: 'x' }))
    const forced = apply(live, 'a', widget({ replicas: 2 }), { force: true })
    expect(specOf(forced)).toEqual({ replicas: 2, mode: 'x' })
    expect(fieldsOf(forced, 'scaler')).toEqual({ 'f:spec': { 'f:mode': {} } })
  })

  it('shares ownership of what has the same value', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1 }))
    const two = apply(one, 'b', widget({ replicas: 1 }))
    expect(fieldsOf(two, 'a')).toEqual(fieldsOf(two, 'b'))
    const onlyB = apply(two, 'a', widget())
    expect(specOf(onlyB)).toEqual({ replicas: 1 })
    expect(apply(onlyB, 'b', widget()).spec).toBeUndefined()
  })

  it('gives what nobody tracked to before-first-apply', () => {
    const live = widget({ replicas: 3, mode: 'x' })
    expect(() => apply(live, 'a', widget({ replicas: 2 }))).toThrow('conflict with "before-first-apply" using demo.io/v1: .spec.replicas')
    const object = apply(live, 'a', widget({ replicas: 3 }))
    expect(object.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['a', 'Apply'],
      ['before-first-apply', 'Update'],
    ])
  })

  it('changes its time only with what it owns or writes', () => {
    const one = apply(undefined, 'a', widget({ replicas: 1 }))
    const bobs = apply(one, 'b', widget({ mode: 'x' }), { now: later })
    expect([entryOf(bobs, 'a')?.time, entryOf(bobs, 'b')?.time]).toEqual([now, later])
    expect(entryOf(apply(bobs, 'a', widget({ replicas: 2 }), { now: later }), 'a')?.time).toBe(later)
  })

  it('orders list elements as structured-merge-diff does', () => {
    const names = (list: string) => widget({ workers: [...list].map((name) => ({ name })) })
    const order = (live: string, config: string) =>
      specOf(apply(apply(undefined, 'b', names(live)), 'a', names(config)))
        .workers.map(({ name }: { name: string }) => name)
        .join('')
    expect([order('abc', 'd'), order('abc', 'cb'), order('abc', 'xc'), order('ab', 'ba'), order('abcd', 'db')]).toEqual([
      'abcd',
      'acb',
      'abxc',
      'ba',
      'acdb',
    ])
  })

  it('goes by the value where there is no schema', () => {
    const object = apply(undefined, 'a', { ...widget(), x: { y: { z: [1] }, e: {} } } as UnstructuredObject, { schema: undefined })
    expect(fieldsOf(object, 'a')).toEqual({ 'f:x': { '.': {}, 'f:e': {}, 'f:y': { '.': {}, 'f:z': {} } } })
  })

  it('tells list elements apart by all keys, with their defaults', () => {
    const ports = (list: object[]) => widget({ workers: [{ name: 'x', ports: list }] })
    const one = apply(undefined, 'a', ports([{ port: 53 }, { port: 53, protocol: 'UDP' }]))
    const two = apply(one, 'b', ports([{ port: 53, protocol: 'TCP', title: 'dns' }]))
    expect(specOf(two).workers).toEqual([
      {
        name: 'x',
        ports: [
          { port: 53, protocol: 'TCP', title: 'dns' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    ])
  })

  it('never owns ignored paths', () => {
    const object = apply(undefined, 'a', { ...widget({ replicas: 1 }), status: { ready: true } } as UnstructuredObject, {
      ignored: { 'f:status': {} },
    })
    expect(fieldsOf(object, 'a')).toEqual({ 'f:spec': { 'f:replicas': {} } })
  })

  it('neither changes ignored paths nor conflicts on them', () => {
    const made = apply(undefined, 'a', widget({ replicas: 1 }))
    const live = write(
      made,
      'agent',
      edit(made, (o) => {
        o.status = { ready: true }
      }),
      now,
      'status',
    )
    const config = { ...widget({ replicas: 2 }), status: { ready: false } } as UnstructuredObject
    expect(apply(live, 'a', config, { ignored: { 'f:status': {} } })).toMatchObject({ spec: { replicas: 2 }, status: { ready: true } })
    expect(() => apply(live, 'a', config)).toThrow('conflict with "agent" with subresource "status" using demo.io/v1: .status.ready')
  })

  it.each<[string, UnstructuredObject, string]>([
    ['managed fields', widget({}, { managedFields: [{ manager: 'x' }] }), 'metadata.managedFields must be nil'],
    [
      'another version',
      { ...widget({}), apiVersion: 'demo.io/v2' },
      'Incorrect version specified in apply patch. Specified patch version: demo.io/v2, expected: demo.io/v1',
    ],
    [
      'an unknown field',
      widget({ nope: 1 }, { namespace: 'n' }),
      'failed to create typed patch object (n/a; demo.io/v1, Kind=Widget): .spec.nope: field not declared in schema',
    ],
    [
      'repeated elements',
      widget({ workers: [{ name: 'x' }, { name: 'x' }] }),
      'failed to create typed patch object (/a; demo.io/v1, Kind=Widget): .spec.workers: duplicate entries for key [name="x"]',
    ],
    [
      'an element without its key',
      widget({ workers: [{ cmd: 'x' }] }),
      `failed to create typed patch object (/a; demo.io/v1, Kind=Widget): .spec.workers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
    ],
  ])('refuses %s', (_name, config, message) => {
    expect(() => apply(undefined, 'a', config)).toThrow(expect.objectContaining({ reason: 'BadRequest', message }))
  })
})

describe('the way from client-side apply to server-side apply', () => {
  const annotated = (spec: object) => ({ annotations: { [lastAppliedAnnotation]: `${JSON.stringify(widget(spec))}\n` } })

  it('lets kubectl take over what client-side apply set, and keeps the annotation up to date', () => {
    const live = write(undefined, 'kubectl-client-side-apply', widget({ replicas: 1, mode: 'x' }, annotated({ replicas: 1, mode: 'x' })))
    const object = apply(live, 'kubectl', widget({ replicas: 2, mode: 'x' }))
    expect(specOf(object).replicas).toBe(2)
    expect(JSON.parse(object.metadata.annotations?.[lastAppliedAnnotation] ?? '')).toEqual(widget({ replicas: 2, mode: 'x' }))
  })

  it('still refuses what somebody changed since', () => {
    const made = write(undefined, 'kubectl-client-side-apply', widget({ replicas: 1, mode: 'x' }, annotated({ replicas: 1, mode: 'x' })))
    const live = write(
      made,
      'scaler',
      edit(made, (o) => {
        o.spec.replicas = 5
      }),
    )
    expect(() => apply(live, 'kubectl', widget({ replicas: 2, mode: 'y' }))).toThrow(
      'Apply failed with 1 conflict: conflict with "scaler" using demo.io/v1: .spec.replicas',
    )
  })

  it('grants that to no other manager', () => {
    const live = write(undefined, 'kubectl-client-side-apply', widget({ replicas: 1 }, annotated({ replicas: 1 })))
    expect(() => apply(live, 'tool', widget({ replicas: 2 }))).toThrow('conflict with "kubectl-client-side-apply"')
  })
})

describe('properties of apply', () => {
  const word = fc.constantFrom('p', 'q', 'r')
  const map = fc.dictionary(word, word, { maxKeys: 3, noNullPrototype: true })
  const spec = fc.record(
    {
      replicas: fc.integer({ min: 1, max: 3 }),
      mode: word,
      selector: map,
      frozen: map,
      args: fc.array(word, { maxLength: 2 }),
      tags: fc.uniqueArray(word),
      workers: fc.uniqueArray(
        fc.record({ name: word, cmd: word, cpu: fc.integer({ min: 1, max: 2 }) }, { requiredKeys: ['name'], noNullPrototype: true }),
        { selector: ({ name }) => name },
      ),
      limits: fc.record(
        { low: fc.integer({ min: 1, max: 2 }), high: fc.integer({ min: 1, max: 2 }) },
        { requiredKeys: [], noNullPrototype: true },
      ),
      free: fc.dictionary(word, fc.oneof(word, map), { maxKeys: 3, noNullPrototype: true }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  const steps = fc.array(
    fc.record({ manager: fc.constantFrom('a', 'b'), spec, kind: fc.constantFrom('apply' as const, 'force' as const, 'update' as const) }),
    { minLength: 1, maxLength: 6 },
  )

  /** Runs a history; an apply that conflicts leaves the object as it was. */
  function run(history: readonly { manager: string; spec: object; kind: 'apply' | 'force' | 'update' }[]): UnstructuredObject | undefined {
    let live: UnstructuredObject | undefined
    for (const step of history) {
      try {
        live =
          step.kind === 'update'
            ? write(live, step.manager, widget(step.spec, { managedFields: live?.metadata.managedFields }))
            : apply(live, step.manager, widget(step.spec), { force: step.kind === 'force' })
      } catch (error) {
        expect(error).toMatchObject({ reason: 'Conflict' })
      }
    }
    return live
  }

  /** Leaves of a configuration, as text, with list elements by name. */
  function leaves(value: unknown, path = ''): string[] {
    if (Array.isArray(value)) {
      if (path.endsWith('.args')) return [`${path}=${JSON.stringify(value)}`]
      return value.flatMap((item) => (typeof item === 'object' ? leaves(item, `${path}[${item.name}]`) : [`${path}[${item}]`]))
    }
    if (typeof value === 'object' && value !== null && !path.endsWith('.frozen'))
      return Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}.${key}`))
    return [`${path}=${canonicalJson(value)}`]
  }

  it('applying twice is applying once', () => {
    fc.assert(
      fc.property(steps, spec, (history, wanted) => {
        const once = apply(run(history), 'a', widget(wanted), { force: true })
        expect(apply(once, 'a', widget(wanted), { now: later })).toBe(once)
      }),
    )
  })

  it('what was applied is there', () => {
    fc.assert(
      fc.property(steps, spec, (history, wanted) => {
        const there = leaves(apply(run(history), 'a', widget(wanted), { force: true }).spec ?? {})
        expect(there).toEqual(expect.arrayContaining(leaves(wanted)))
      }),
    )
  })

  it('a manager never loses a field that is its own without being forced', () => {
    fc.assert(
      fc.property(steps, spec, spec, (history, mine, theirs) => {
        const live = apply(run(history), 'a', widget(mine), { force: true })
        let next = live
        try {
          next = apply(live, 'b', widget(theirs))
        } catch (error) {
          expect(error).toMatchObject({ reason: 'Conflict' })
        }
        expect(leaves(next.spec ?? {})).toEqual(expect.arrayContaining(leaves(mine)))
        expect(fieldsOf(next, 'a')).toEqual(fieldsOf(live, 'a'))
      }),
    )
  })

  it('what everybody stops applying is gone, and what somebody still applies stays', () => {
    fc.assert(
      fc.property(spec, spec, (mine, theirs) => {
        const both = apply(apply(undefined, 'a', widget(mine)), 'b', widget(theirs), { force: true })
        const onlyTheirs = apply(both, 'a', widget())
        expect(leaves(onlyTheirs.spec ?? {}).sort()).toEqual(leaves(theirs).sort())
        expect(apply(onlyTheirs, 'b', widget()).spec).toBeUndefined()
      }),
    )
  })

  it('every entry names only fields that exist', () => {
    const exists = (value: unknown, fields: object): boolean =>
      Object.entries(fields).every(([element, below]) => {
        if (element === '.') return true
        const body = element.slice(2)
        let item: unknown
        if (element[0] === 'f') item = (value as Record<string, unknown>)?.[body]
        else if (element[0] === 'k') item = (value as { name: string }[] | undefined)?.find(({ name }) => name === JSON.parse(body).name)
        else item = (value as unknown[] | undefined)?.find((candidate) => candidate === JSON.parse(body))
        return item !== undefined && exists(item, below)
      })
    fc.assert(
      fc.property(steps, (history) => {
        const object = run(history)
        for (const entry of object?.metadata.managedFields ?? []) expect(exists(object, entry.fieldsV1 as object)).toBe(true)
      }),
    )
  })

  it('copes with values of any shape: an answer or an ApiError, and the same twice', () => {
    const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 1, 'x', true, {}, []),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('name', 'port', 'k', 'ports', 'constructor', 'low'), tie('any'), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
      ),
    })).any
    const wild = fc.dictionary(fc.constantFrom('replicas', 'selector', 'frozen', 'args', 'tags', 'workers', 'limits', 'free'), value, {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(wild, wild, wild, (first, second, third) => {
        try {
          const made = write(undefined, 'a', widget(first))
          const changed = write(made, 'b', widget(second, { managedFields: made.metadata.managedFields }))
          const once = apply(changed, 'c', widget(third), { force: true })
          expect(apply(once, 'c', widget(third), { force: true })).toEqual(once)
        } catch (error) {
          expect(error).toMatchObject({ reason: 'BadRequest' })
        }
      }),
      { numRuns: 300 },
    )
  })

  it('changes nothing in place', () => {
    fc.assert(
      fc.property(steps, spec, (history, wanted) => {
        const live = run(history)
        const config = widget(wanted)
        const before = structuredClone([live, config])
        apply(live, 'a', config, { force: true })
        expect([live, config]).toEqual(before)
      }),
    )
  })

  it('brings the annotation of client-side apply up to date as Go writes it, so that a diff shows what differs alone', () => {
    const spec = { mode: '<a> & b' }
    const live = edit(widget(spec), (o) => {
      o.metadata.annotations = { [lastAppliedAnnotation]: '{}\n' }
      o.metadata.uid = 'u'
    })
    const config = { spec, metadata: { name: 'a' }, kind: 'Widget', apiVersion: 'demo.io/v1' } as UnstructuredObject
    expect(apply(live, 'kubectl', config, { force: true }).metadata.annotations?.[lastAppliedAnnotation]).toBe(
      '{"apiVersion":"demo.io/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"mode":"\\u003ca\\u003e \\u0026 b"}}\n',
    )
  })
})
