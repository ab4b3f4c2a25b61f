import { describe, expect, it } from 'vitest'
import { createRegistry, defineResource, type RegistryChange, type ResourceDefinition } from '../../src/index.ts'

const resource = (change: Partial<ResourceDefinition> = {}): ResourceDefinition =>
  defineResource({
    group: 'demo.io',
    plural: 'widgets',
    kind: 'Widget',
    shortNames: ['wd'],
    namespaced: true,
    storageVersion: 'v1',
    versions: [
      { name: 'v1', schema: { type: 'object' } },
      { name: 'v1beta1', schema: { type: 'object' } },
    ],
    ...change,
  })

describe('createRegistry', () => {
  it('resolves served versions, by resource and by kind, aliases included', () => {
    const registry = createRegistry()
    const definition = resource({
      versions: [
        { name: 'v1', schema: { type: 'object' } },
        { name: 'v0', served: false, schema: { type: 'object' } },
      ],
      aliases: [{ group: 'old.io', versions: [{ name: 'v1', schema: { type: 'object', title: 'old' } }] }],
    })
    registry.add(definition, 'test')
    expect(registry.resolve({ group: 'demo.io', version: 'v1', resource: 'widgets' })?.gvk).toEqual({
      group: 'demo.io',
      version: 'v1',
      kind: 'Widget',
    })
    expect(registry.resolve({ group: 'demo.io', version: 'v0', resource: 'widgets' })).toBeUndefined()
    expect(registry.resolve({ group: 'old.io', version: 'v1', resource: 'widgets' })).toMatchObject({
      apiVersion: 'old.io/v1',
      schema: { title: 'old' },
    })
    expect(registry.resolveKind({ group: 'old.io', version: 'v1', kind: 'Widget' })?.definition).toBe(definition)
    expect(registry.get({ group: 'old.io', resource: 'widgets' })).toBe(definition)
    expect(registry.served().map((served) => served.apiVersion)).toEqual(['demo.io/v1', 'old.io/v1'])
  })

  it('asks for a schema once, when it is first needed', () => {
    let asked = 0
    const registry = createRegistry()
    registry.add(resource({ versions: [{ name: 'v1', schema: () => ({ type: 'object', title: String(++asked) }) }] }), 'test')
    const served = registry.resolve({ group: 'demo.io', version: 'v1', resource: 'widgets' })
    expect(asked).toBe(0)
    expect([served?.schema.title, served?.schema.title]).toEqual(['1', '1'])
  })

  it('tells of what is added, replaced and removed, synchronously and with a rising generation', () => {
    const registry = createRegistry()
    const heard: string[] = []
    const stop = registry.onChange(({ type, resource }: RegistryChange) =>
      heard.push(`${type} ${resource.resource} ${registry.generation}`),
    )
    const entry = registry.add(resource(), 'test')
    entry.replace(resource({ shortNames: ['wdg'] }))
    entry[Symbol.dispose]()
    entry[Symbol.dispose]()
    stop()
    registry.add(resource(), 'test')
    expect(heard).toEqual(['added widgets 1', 'replaced widgets 2', 'removed widgets 3'])
    expect(registry.get({ group: 'demo.io', resource: 'widgets' })?.shortNames).toEqual(['wd'])
  })

  it.each([
    ['plural', { plural: 'widgets', kind: 'Other' }],
    ['kind', { plural: 'others', singular: 'other' }],
    ['short name', { plural: 'others', kind: 'Other', shortNames: ['wd'] }],
    ['singular', { plural: 'others', kind: 'Other', singular: 'widget' }],
    ['alias', { group: 'x.io', aliases: [{ group: 'demo.io', versions: [] }] }],
  ])('refuses another resource with the same %s', (_what, change) => {
    const registry = createRegistry()
    registry.add(resource(), 'first')
    expect(() => registry.add(resource({ shortNames: [], ...change }), 'second')).toThrow(
      expect.objectContaining({ code: 'RESOURCE_CONFLICT', message: expect.stringContaining('first') }),
    )
    expect(registry.all().length).toBe(1)
  })

  it('lets two groups use the same names', () => {
    const registry = createRegistry()
    registry.add(resource(), 'first')
    registry.add(resource({ group: 'other.io' }), 'second')
    expect(registry.all().map((definition) => definition.group)).toEqual(['demo.io', 'other.io'])
  })
})
