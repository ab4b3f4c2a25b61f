import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { behavingApi, collection, configMap, type Stored } from './behaving-api.ts'

const behaving = behavingApi()
const merge = 'application/merge-patch+json'
const path = (name: string): string => `${collection}/${name}`
const owner = ({ metadata }: Stored, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: metadata.name,
  uid: metadata.uid,
  ...more,
})
const owned = (name: string, ...owners: Stored[]) => configMap(name, {}, { ownerReferences: owners })
const make = (object: Stored): Promise<Stored> => behaving().ask('POST', collection, object)
const exists = async (name: string): Promise<boolean> => (await behaving().api.send('GET', path(name))).status === 200
const gone = (name: string) =>
  eventually(async () => {
    if (await exists(name)) throw new Error(`${name} is still there`)
  })

describe('garbage collection', () => {
  it('follows owners in the background, through a chain', async () => {
    const top = await make(configMap('chain-1'))
    const middle = await make(owned('chain-2', owner(top)))
    await make(owned('chain-3', owner(middle)))
    await behaving().ask('DELETE', path('chain-1'))
    for (const name of ['chain-2', 'chain-3']) await gone(name)
  })

  it('waits for the last of several owners', async () => {
    const [a, b] = [await make(configMap('owner-a')), await make(configMap('owner-b'))]
    await make(owned('shared', owner(a), owner(b)))
    await make(owned('witness', owner(a)))
    await behaving().ask('DELETE', path('owner-a'))
    await gone('witness')
    await eventually(async () =>
      expect((await behaving().ask('GET', path('shared'))).metadata.ownerReferences).toEqual([
        expect.objectContaining({ name: 'owner-b' }),
      ]),
    )
    await behaving().ask('DELETE', path('owner-b'))
    await gone('shared')
  })

  it('ends a cycle whose members own each other once one is deleted in the foreground', async () => {
    const one = await make(configMap('cycle-1'))
    const two = await make(owned('cycle-2', owner(one, { blockOwnerDeletion: true })))
    await behaving().ask('PATCH', path('cycle-1'), { metadata: { ownerReferences: [owner(two, { blockOwnerDeletion: true })] } }, merge)
    await behaving().ask('DELETE', path('cycle-1'), { propagationPolicy: 'Foreground' })
    for (const name of ['cycle-1', 'cycle-2']) await gone(name)
  })

  it('collects what names an owner that is not there, or another one of its name', async () => {
    const real = await make(configMap('real'))
    await make(owned('dangling', { apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: 'f0000000-0000-4000-8000-000000000000' }))
    await make(owned('mistaken', owner(real, { uid: 'f0000000-0000-4000-8000-000000000001' })))
    for (const name of ['dangling', 'mistaken']) await gone(name)
    expect(await exists('real')).toBe(true)
  })

  it('in the foreground an owner stays until what blocks it is gone', async () => {
    const top = await make(configMap('front'))
    await make({
      ...owned('blocking', owner(top, { blockOwnerDeletion: true })),
      metadata: { ...owned('blocking', owner(top, { blockOwnerDeletion: true })).metadata, finalizers: ['example.com/hold'] },
    })
    await make(owned('beside', owner(top)))
    const deleted = await behaving().ask('DELETE', `${path('front')}?propagationPolicy=Foreground`)
    expect(deleted.metadata).toMatchObject({ finalizers: ['foregroundDeletion'], deletionTimestamp: expect.any(String) })
    await gone('beside')
    expect(await exists('front')).toBe(true)
    await behaving().ask('PATCH', path('blocking'), { metadata: { finalizers: null } }, merge)
    for (const name of ['blocking', 'front']) await gone(name)
  })

  it('orphans stay, without their owner', async () => {
    const top = await make(configMap('parent'))
    await make(owned('orphan', owner(top)))
    await behaving().ask('DELETE', path('parent'), { propagationPolicy: 'Orphan' })
    await gone('parent')
    expect((await behaving().ask('GET', path('orphan'))).metadata.ownerReferences).toBeUndefined()
  })
})

describe('deletion', () => {
  it('waits for finalizers, allows no new ones, and ends with the last', async () => {
    const { ask, refused } = behaving()
    await make(configMap('final', {}, { finalizers: ['example.com/a', 'example.com/b'] }))
    const { deletionTimestamp } = (await ask('DELETE', path('final'))).metadata
    expect((await ask('DELETE', path('final'))).metadata.deletionTimestamp).toBe(deletionTimestamp)
    expect(
      await refused('PATCH', path('final'), { metadata: { finalizers: ['example.com/a', 'example.com/b', 'example.com/c'] } }, merge),
    ).toMatchObject({ code: 422, details: { causes: [{ field: 'metadata.finalizers' }] } })
    await ask('PATCH', path('final'), { metadata: { finalizers: ['example.com/b'] } }, merge)
    expect(await exists('final')).toBe(true)
    await ask('PATCH', path('final'), { metadata: { finalizers: [] } }, merge)
    expect(await exists('final')).toBe(false)
  })

  it('of a collection takes what the selectors choose', async () => {
    const { ask } = behaving()
    for (const [name, set] of [
      ['coll-1', 'x'],
      ['coll-2', 'x'],
      ['coll-3', 'y'],
    ] as const)
      await make(configMap(name, {}, { labels: { set } }))
    const list = await ask('DELETE', `${collection}?labelSelector=set%3Dx&fieldSelector=metadata.name!%3Dcoll-2`)
    expect(list.items.map((item: Stored) => item.metadata.name)).toEqual(['coll-1'])
    expect([await exists('coll-1'), await exists('coll-2'), await exists('coll-3')]).toEqual([false, true, true])
  })

  it('of a namespace refuses newcomers, tells what it waits for, and ends when it is empty', async () => {
    const { ask, refused } = behaving()
    const within = '/api/v1/namespaces/doomed/configmaps'
    await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'doomed' } })
    await ask('POST', within, configMap('held', {}, { finalizers: ['example.com/hold'] }))
    await ask('POST', within, configMap('free'))
    expect((await ask('DELETE', '/api/v1/namespaces/doomed')).status.phase).toBe('Terminating')
    expect(await refused('POST', within, configMap('late'))).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      details: { causes: [{ reason: 'NamespaceTerminating' }] },
    })
    await eventually(async () => {
      const { conditions } = (await ask('GET', '/api/v1/namespaces/doomed')).status
      const told = Object.fromEntries((conditions ?? []).map((condition: Stored) => [condition.type, condition]))
      expect(told.NamespaceContentRemaining).toMatchObject({
        status: 'True',
        message: expect.stringContaining('configmaps. has 1 resource instances'),
      })
      expect(told.NamespaceFinalizersRemaining).toMatchObject({
        status: 'True',
        message: expect.stringContaining('example.com/hold in 1 resource instances'),
      })
    })
    await ask('PATCH', `${within}/held`, { metadata: { finalizers: null } }, merge)
    await eventually(async () => expect((await refused('GET', '/api/v1/namespaces/doomed')).reason).toBe('NotFound'))
  })
})
