import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDefaults, findUnknownFields, prune, type Schema } from '../../src/schema/index.ts'

const widget: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer', default: 1 },
        mode: { type: 'string', nullable: true, default: 'auto' },
        note: { type: 'string' },
        free: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { strict: { type: 'object', properties: { a: { type: 'string' } } } },
        },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true },
        map: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { a: { type: 'string' }, d: { type: 'integer', default: 7 } } },
        },
        list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' }, d: { type: 'integer', default: 3 } } } },
        template: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
        nested: { type: 'object', default: {}, properties: { deep: { type: 'string', default: 'x' } } },
      },
    },
  },
}

describe('prune', () => {
  it('drops what the schema does not know and says where', () => {
    const value = {
      apiVersion: 'v1',
      kind: 'Widget',
      metadata: { name: 'a', labels: { any: 'thing' }, bogus: 1 },
      spec: { replicas: 1, foo: 1, map: { k: { a: 'x', b: 1 } }, list: [{ a: 'x' }, { z: 1 }], port: 'http' },
      extra: {},
    }
    const before = structuredClone(value)
    const { value: pruned, dropped } = prune(widget, value)
    expect(pruned).toEqual({
      apiVersion: 'v1',
      kind: 'Widget',
      metadata: { name: 'a', labels: { any: 'thing' } },
      spec: { replicas: 1, map: { k: { a: 'x' } }, list: [{ a: 'x' }, {}], port: 'http' },
    })
    expect(dropped).toEqual(['metadata.bogus', 'spec.foo', 'spec.map.k.b', 'spec.list[1].z', 'extra'])
    expect(value).toEqual(before)
  })

  it('keeps unknown fields where the schema says so, but still prunes what it specifies there', () => {
    const value = { spec: { free: { x: { y: 1 }, strict: { a: '1', b: '2' } }, any: { x: [1] } } }
    expect(prune(widget, value).value).toEqual({ spec: { free: { x: { y: 1 }, strict: { a: '1' } }, any: { x: [1] } } })
  })

  it('keeps apiVersion, kind and metadata of an embedded resource', () => {
    const value = {
      spec: { template: { apiVersion: 'v1', kind: 'X', metadata: { name: 'n', labels: { a: 'b' }, nope: 1 }, spec: {}, status: {} } },
    }
    expect(prune(widget, value).dropped).toEqual(['spec.template.metadata.nope', 'spec.template.status'])
  })

  it('keeps all of metadata when the schema constrains only the name', () => {
    const schema: Schema = {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } },
    }
    const value = { metadata: { name: 'a', labels: { b: 'c' } } }
    expect(prune(schema, value).value).toBe(value)
  })

  it('returns the very input when nothing is dropped', () => {
    const value = { spec: { replicas: 1, list: [{ a: 'x' }] } }
    expect(prune(widget, value).value).toBe(value)
  })

  it('words unknown fields as field validation does, and reports at most a hundred', () => {
    expect(findUnknownFields(widget, { spec: { foo: 1 } })).toEqual(['unknown field "spec.foo"'])
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}`, 1]))
    expect(findUnknownFields(widget, many)).toHaveLength(100)
  })

  it('is not fooled by names of Object.prototype', () => {
    expect(prune(widget, { spec: JSON.parse('{"constructor": 1, "toString": 2, "__proto__": {"a": 1}}') }).value).toEqual({ spec: {} })
    const kept = prune(
      { type: 'object', additionalProperties: { type: 'object', properties: {} } },
      JSON.parse('{"__proto__": {"a": 1}}'),
      { root: false },
    ).value
    expect(Object.keys(kept as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).a).toBeUndefined()
  })

  it('done twice is done once', () => {
    fc.assert(
      fc.property(
        fc.object({ key: fc.constantFrom('spec', 'replicas', 'list', 'map', 'a', 'free', 'x', 'template', 'metadata') }),
        (value) => {
          const once = prune(widget, value).value
          expect(prune(widget, once)).toEqual({ value: once, dropped: [] })
        },
      ),
    )
  })
})

describe('defaulting', () => {
  const defaulted = (value: unknown) => {
    applyDefaults(widget, value)
    return value
  }

  it('fills in what is missing, inside defaults, lists and maps too', () => {
    expect(defaulted({ spec: { list: [{}, { d: 1 }], map: { k: {} } } })).toEqual({
      spec: { replicas: 1, mode: 'auto', nested: { deep: 'x' }, list: [{ d: 3 }, { d: 1 }], map: { k: { d: 7 } } },
    })
  })

  it('does not invent parents', () => {
    expect(defaulted({})).toEqual({})
  })

  it('keeps a null where it is allowed, replaces it by the default, or drops it', () => {
    expect(defaulted({ spec: { replicas: null, mode: null, note: null, any: null, nested: { deep: 'y' } } })).toEqual({
      spec: { replicas: 1, mode: null, any: null, nested: { deep: 'y' } },
    })
  })

  it('gives every object a default of its own', () => {
    const a = defaulted({ spec: {} }) as { spec: { nested: { deep: string } } }
    a.spec.nested.deep = 'changed'
    expect(defaulted({ spec: {} })).toMatchObject({ spec: { nested: { deep: 'x' } } })
  })

  it('done twice is done once', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom('spec', 'replicas', 'list', 'map', 'a', 'd', 'nested', 'mode') }), (value) => {
        const once = structuredClone(defaulted(value))
        expect(defaulted(value)).toEqual(once)
      }),
    )
  })
})
