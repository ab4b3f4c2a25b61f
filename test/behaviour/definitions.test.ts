import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { behavingApi, type Stored } from './behaving-api.ts'

const behaving = behavingApi()
const merge = 'application/merge-patch+json'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const version = (name: string, properties: object, more: object = {}): Stored => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  ...more,
})
const definition = (plural: string, kind: string, versions: readonly Stored[] = [version('v1', { a: { type: 'string' } })]): Stored => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.life.example.com` },
  spec: { group: 'life.example.com', scope: 'Namespaced', names: { plural, singular: kind.toLowerCase(), kind }, versions },
})
const conditionsOf = async (plural: string): Promise<Record<string, string>> => {
  const { status } = await behaving().ask('GET', `${definitions}/${plural}.life.example.com`)
  return Object.fromEntries((status?.conditions ?? []).map(({ type, status: value }: Stored) => [type, value]))
}
const objects = (plural: string, served = 'v1'): string => `/apis/life.example.com/${served}/namespaces/default/${plural}`
const object = (kind: string, name: string, spec: object, metadata: object = {}, served = 'v1'): Stored => ({
  apiVersion: `life.example.com/${served}`,
  kind,
  metadata: { name, ...metadata },
  spec,
})

describe('the life of a definition', () => {
  it('within a second of its creation its kind is served, discovered and described', async () => {
    const { ask } = behaving()
    await ask('POST', definitions, definition('moths', 'Moth'))
    await eventually(async () => {
      expect(await conditionsOf('moths')).toMatchObject({ NamesAccepted: 'True', Established: 'True' })
      expect((await ask('GET', '/apis/life.example.com/v1')).resources.map(({ name }: Stored) => name)).toContain('moths')
      expect(JSON.stringify(await ask('GET', '/openapi/v3/apis/life.example.com/v1'))).toContain('"kind":"Moth"')
    }, 1_000)
    await ask('POST', objects('moths'), object('Moth', 'one', { a: 'x', dropped: true }))
    expect((await ask('GET', `${objects('moths')}/one`)).spec).toEqual({ a: 'x' })
  })

  it('a new version, a new schema and a version that is served no more take effect while it lives', async () => {
    const { ask, refused } = behaving()
    const spec = {
      versions: [
        version('v1', { a: { type: 'string', maxLength: 3 } }),
        version('v2', { a: { type: 'string' }, b: { type: 'integer', default: 7 } }),
      ],
    }
    await ask('PATCH', `${definitions}/moths.life.example.com`, { spec }, merge)
    await eventually(async () => expect((await ask('GET', `${objects('moths', 'v2')}/one`)).spec).toEqual({ a: 'x', b: 7 }))
    expect((await ask('GET', `${objects('moths')}/one`)).spec).toEqual({ a: 'x' })
    expect(await refused('POST', objects('moths'), object('Moth', 'long', { a: 'longer' }))).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'spec.a', reason: 'FieldValueTooLong' }] },
    })
    spec.versions[0].served = false
    await ask('PATCH', `${definitions}/moths.life.example.com`, { spec }, merge)
    await eventually(async () => expect((await refused('GET', objects('moths'))).code).toBe(404))
    expect((await ask('GET', `${objects('moths', 'v2')}/one`)).spec).toEqual({ a: 'x', b: 7 })
  })

  it('the version that is stored can change; the old one stays told until somebody says that nothing is left of it', async () => {
    const { ask, refused } = behaving()
    const path = `${definitions}/moths.life.example.com`
    const spec = {
      versions: [version('v1', { a: { type: 'string' } }, { storage: false }), version('v2', { a: { type: 'string' } }, { storage: true })],
    }
    await ask('PATCH', path, { spec }, merge)
    await eventually(async () => expect((await ask('GET', path)).status.storedVersions).toEqual(['v1', 'v2']))
    expect(await refused('PATCH', path, { spec: { versions: [spec.versions[1]] } }, merge)).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'status.storedVersions[0]' }] },
    })
    await ask('PATCH', `${path}/status`, { status: { storedVersions: ['v2'] } }, merge)
    await ask('PATCH', path, { spec: { versions: [spec.versions[1]] } }, merge)
    await eventually(async () => expect((await ask('GET', `${objects('moths', 'v2')}/one`)).spec.a).toBe('x'))
  })

  it('one that asks for names of another is not served, until they are free', async () => {
    const { ask, refused } = behaving()
    await ask('POST', definitions, definition('bees', 'Bee'))
    await ask('POST', definitions, { ...definition('wasps', 'Bee') })
    await eventually(async () => expect(await conditionsOf('wasps')).toMatchObject({ NamesAccepted: 'False', Established: 'False' }))
    expect((await refused('GET', objects('wasps'))).code).toBe(404)
    await ask('DELETE', `${definitions}/bees.life.example.com`)
    await eventually(async () => expect(await conditionsOf('wasps')).toMatchObject({ NamesAccepted: 'True', Established: 'True' }))
    await ask('DELETE', `${definitions}/wasps.life.example.com`)
  })

  it('its deletion takes the objects with it, waits for those that wait, and takes no new ones', async () => {
    const { ask, refused } = behaving()
    await ask('POST', definitions, definition('flies', 'Fly'))
    await eventually(() => ask('POST', objects('flies'), object('Fly', 'held', { a: 'x' }, { finalizers: ['example.com/hold'] })))
    await ask('POST', objects('flies'), object('Fly', 'free', {}))
    expect((await ask('DELETE', `${definitions}/flies.life.example.com`)).metadata.finalizers).toEqual([
      'customresourcecleanup.apiextensions.k8s.io',
    ])
    await eventually(async () =>
      expect((await ask('GET', objects('flies'))).items.map((item: Stored) => item.metadata.name)).toEqual(['held']),
    )
    expect(await conditionsOf('flies')).toMatchObject({ Terminating: 'True' })
    expect(await refused('POST', objects('flies'), object('Fly', 'late', {}))).toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
    await ask('PATCH', `${objects('flies')}/held`, { metadata: { finalizers: null } }, merge)
    await eventually(async () => expect((await refused('GET', `${definitions}/flies.life.example.com`)).reason).toBe('NotFound'))
    await eventually(async () => expect((await refused('GET', objects('flies'))).code).toBe(404))
    await ask('POST', definitions, definition('flies', 'Fly'))
    await eventually(async () => expect((await ask('GET', objects('flies'))).items).toEqual([]))
  })
})
