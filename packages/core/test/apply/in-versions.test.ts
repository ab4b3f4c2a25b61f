import { describe, expect, it } from 'vitest'
import {
  type ApplyConfigurationOptions,
  applyInVersions,
  type InVersions,
  type UpdateManagedFieldsOptions,
  updateInVersions,
} from '../../src/apply/index.ts'
import type { KubeObject } from '../../src/objects/object.ts'
import type { Schema } from '../../src/schema/index.ts'
import { entryOf, fieldsOf, later, now } from './widget.ts'

const properties = (names: readonly string[]): Schema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) } },
})

/** Version v2 calls `size` what v1 calls `replicas`. */
const schemas: Readonly<Record<string, Schema>> = {
  'demo.io/v1': properties(['replicas', 'mode']),
  'demo.io/v2': properties(['size', 'mode']),
}
const renamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'demo.io/v1': { size: 'replicas' },
  'demo.io/v2': { replicas: 'size' },
}

type Draft = KubeObject & { spec?: Record<string, unknown> }

function convert(object: Draft, apiVersion: string): Draft {
  const names = renamed[apiVersion] ?? {}
  const spec = object.spec && Object.fromEntries(Object.entries(object.spec).map(([key, value]) => [names[key] ?? key, value]))
  return { ...object, apiVersion, ...(spec === undefined ? {} : { spec }) }
}

/** Runs to the end, and tells which versions were asked for. */
function run<T>(computation: InVersions<T>, asked: string[] = [], unreadable = false): T {
  let step = computation.next()
  while (step.done !== true) {
    const { apiVersion, objects } = step.value
    asked.push(apiVersion)
    const schema = schemas[apiVersion]
    const answer = schema && { schema, objects: objects.map((object) => convert(object as Draft, apiVersion)) }
    step = computation.next(unreadable ? 'unreadable' : answer)
  }
  return step.value
}

const object = (version: string, spec: Record<string, unknown>, managedFields?: KubeObject['metadata']['managedFields']): Draft =>
  ({
    apiVersion: `demo.io/${version}`,
    kind: 'Widget',
    metadata: { name: 'a', ...(managedFields === undefined ? {} : { managedFields }) },
    spec,
  }) as Draft

const apply = (live: Draft | undefined, manager: string, config: Draft, more: Partial<ApplyConfigurationOptions> = {}, asked?: string[]) =>
  run(
    applyInVersions({
      schema: schemas[config.apiVersion],
      live: live && convert(live, config.apiVersion),
      config,
      manager,
      apiVersion: config.apiVersion,
      now,
      ...more,
    }),
    asked,
  ) as Draft

function update(live: Draft, manager: string, next: Draft, unreadable = false): Draft {
  const options: UpdateManagedFieldsOptions = {
    schema: schemas[next.apiVersion],
    old: convert(live, next.apiVersion),
    next,
    manager,
    apiVersion: next.apiVersion,
    now: later,
  }
  return { ...next, metadata: { ...next.metadata, managedFields: run(updateInVersions(options), [], unreadable) } } as Draft
}

describe('fields owned in another version', () => {
  it('asks for no other version when none is owned', () => {
    const asked: string[] = []
    const one = apply(undefined, 'a', object('v1', { replicas: '1' }), {}, asked)
    apply(one, 'b', object('v1', { mode: 'x' }), {}, asked)
    expect(asked).toEqual([])
  })

  it('refuses to change what another manager owns by another name, and says that name', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    expect(() => apply(one, 'b', object('v2', { size: '2' }))).toThrow('conflict with "a": .spec.replicas')
    expect(apply(one, 'b', object('v2', { size: '1' })).metadata.managedFields).toMatchObject([
      { manager: 'a', apiVersion: 'demo.io/v1', fieldsV1: { 'f:spec': { 'f:mode': {}, 'f:replicas': {} } } },
      { manager: 'b', apiVersion: 'demo.io/v2', fieldsV1: { 'f:spec': { 'f:size': {} } } },
    ])
  })

  it('takes over by force what is called otherwise', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    const two = apply(one, 'b', object('v2', { size: '2' }), { force: true })
    expect(two.spec).toEqual({ size: '2', mode: 'x' })
    expect(fieldsOf(two, 'a')).toEqual({ 'f:spec': { 'f:mode': {} } })
  })

  it('removes what the manager applied in an older version and names no more, unless somebody owns it in any version', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    expect(apply(one, 'a', object('v2', { mode: 'x' })).spec).toEqual({ mode: 'x' })
    const shared = apply(one, 'b', object('v2', { size: '1' }))
    expect(apply(shared, 'a', object('v2', { mode: 'x' })).spec).toEqual({ size: '1', mode: 'x' })
    expect(apply(shared, 'a', object('v1', { mode: 'x' })).spec).toEqual({ replicas: '1', mode: 'x' })
  })

  it('applied again in the new version, nothing goes', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    const two = apply(one, 'a', object('v2', { size: '1', mode: 'x' }))
    expect(two.spec).toEqual({ size: '1', mode: 'x' })
    expect(two.metadata.managedFields).toMatchObject([{ manager: 'a', apiVersion: 'demo.io/v2' }])
  })

  it('an update takes the field from its owner in the version of the owner', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    const changed = update(one, 'b', object('v2', { size: '2', mode: 'x' }, one.metadata.managedFields))
    expect(fieldsOf(changed, 'a')).toEqual({ 'f:spec': { 'f:mode': {} } })
    expect(fieldsOf(changed, 'b')).toEqual({ 'f:spec': { 'f:size': {} } })
    const removed = update(one, 'b', object('v2', { mode: 'x' }, one.metadata.managedFields))
    expect(fieldsOf(removed, 'a')).toEqual({ 'f:spec': { 'f:mode': {} } })
    expect(entryOf(removed, 'b')).toBeUndefined()
  })

  it('an update leaves to their owners what it cannot read now', () => {
    const one = apply(undefined, 'a', object('v1', { replicas: '1', mode: 'x' }))
    const changed = update(one, 'b', object('v2', { size: '2', mode: 'x' }, one.metadata.managedFields), true)
    expect(fieldsOf(changed, 'a')).toEqual({ 'f:spec': { 'f:mode': {}, 'f:replicas': {} } })
  })

  it('drops entries of a version that is not served', () => {
    const entry = {
      manager: 'old',
      operation: 'Update' as const,
      apiVersion: 'demo.io/v0',
      fieldsType: 'FieldsV1' as const,
      fieldsV1: { 'f:spec': { 'f:mode': {} } },
    }
    const one = object('v1', { replicas: '1', mode: 'x' }, [entry])
    expect(update(one, 'b', object('v1', { replicas: '2', mode: 'x' }, [entry])).metadata.managedFields).toMatchObject([{ manager: 'b' }])
    expect(apply(one, 'c', object('v1', { mode: 'y' })).metadata.managedFields).toMatchObject([{ manager: 'c' }])
  })
})
