import { expect, it } from 'vitest'
import { ApiError, defineResource, kind, type ResourceDefinition, type UnstructuredObject } from '../../src/index.ts'
import { startCluster, type Widget, widgetResource } from './cluster.ts'

const v1 = kind<Widget>({ group: 'demo.io', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true })
const v2 = kind<Widget>({ group: 'demo.io', version: 'v2', kind: 'Widget', resource: 'widgets', namespaced: true })

/** Widgets whose version v2 calls `scale` what v1 calls `size`; `broken` makes the conversion fail. */
function twoVersions(state: { broken: boolean; calls: number }): ResourceDefinition {
  const [first] = widgetResource.versions
  if (first === undefined) throw new ApiError('InternalError', 'no version')
  const text = { type: 'string' } as const
  const second = {
    ...first,
    name: 'v2',
    schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { scale: { type: 'integer' }, owner: text } } },
    } as const,
  }
  return defineResource({
    ...widgetResource,
    custom: true,
    versions: [first, second],
    async convert(objects, apiVersion) {
      if (state.broken) throw new ApiError('InternalError', 'conversion is down')
      state.calls++
      return objects.map((object) => {
        const spec = { ...(object.spec as Record<string, unknown> | undefined) }
        const [from, to] = apiVersion === 'demo.io/v2' ? (['size', 'scale'] as const) : (['scale', 'size'] as const)
        if (spec[from] !== undefined) spec[to] = spec[from]
        delete spec[from]
        return { ...object, apiVersion, spec } as UnstructuredObject
      })
    },
  })
}

const body = (version: string, spec: object, name = 'a') =>
  ({ apiVersion: `demo.io/${version}`, kind: 'Widget', metadata: { name, namespace: 'default' }, spec }) as Widget

it('managers of two versions of a resource that converts meet by what they mean', async () => {
  const state = { broken: false, calls: 0 }
  const { client } = await startCluster({ kinds: [twoVersions(state)] })
  const [one, two] = [client.for(v1), client.for(v2)]
  await one.apply(body('v1', { size: 3, owner: 'x' }), { fieldManager: 'old' })
  await one.apply(body('v1', { size: 3 }), { fieldManager: 'other' })
  expect(state.calls).toBe(0)
  await expect(two.apply(body('v2', { scale: 4 }), { fieldManager: 'new' })).rejects.toMatchObject({
    reason: 'Conflict',
    details: {
      causes: [
        { message: 'conflict with "old"', field: '.spec.size' },
        { message: 'conflict with "other"', field: '.spec.size' },
      ],
    },
  })
  const forced = await two.apply(body('v2', { scale: 4 }), { fieldManager: 'new', force: true })
  expect(forced.metadata.managedFields).toMatchObject([
    { manager: 'new', apiVersion: 'demo.io/v2', fieldsV1: { 'f:spec': { 'f:scale': {} } } },
    { manager: 'old', apiVersion: 'demo.io/v1', fieldsV1: { 'f:spec': { 'f:owner': {} } } },
  ])
  expect((await one.get('default/a')).spec).toEqual({ size: 4, owner: 'x' })
  // What a version ago was applied and is named no more goes, by whatever name.
  expect((await one.apply(body('v1', { owner: 'y' }), { fieldManager: 'new', force: true })).spec).toEqual({ size: 1, owner: 'y' })
})

it('a write goes on when what others own cannot be converted now; an apply does not guess', async () => {
  const state = { broken: false, calls: 0 }
  const { client } = await startCluster({ kinds: [twoVersions(state)] })
  const [one, two] = [client.for(v1), client.for(v2)]
  await two.apply(body('v2', { scale: 3 }), { fieldManager: 'new' })
  state.broken = true
  const written = await one.patch('default/a', { type: 'merge', body: { spec: { size: 5 } } }, { fieldManager: 'edit' })
  expect(written.metadata.managedFields).toMatchObject([
    { manager: 'new', fieldsV1: { 'f:spec': { 'f:scale': {} } } },
    { manager: 'edit', fieldsV1: { 'f:spec': { 'f:size': {} } } },
  ])
  await expect(one.apply(body('v1', { size: 6 }), { fieldManager: 'old' })).rejects.toMatchObject({ message: 'conversion is down' })
})
