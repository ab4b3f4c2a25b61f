import { createHost, defineResource, type Host, type KubeObject, kind, memoryStore, Namespace, ObjectClientCap } from '@continuo/core'
import { garbageCollector, namespace } from '@continuo/plugin-controllers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'

interface Order extends KubeObject {
  spec: { coffees: number }
}
const Order = kind<Order>({ group: 'shop.example.com', version: 'v1', kind: 'Order', resource: 'orders', namespaced: true })
const schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { coffees: { type: 'integer', minimum: 1 } } } },
} as const
const orders = defineResource({
  group: 'shop.example.com',
  plural: 'orders',
  kind: 'Order',
  namespaced: true,
  storageVersion: 'v1',
  versions: [{ name: 'v1', schema }],
})
const order = (name: string, more: object = {}): Order => ({
  apiVersion: 'shop.example.com/v1',
  kind: 'Order',
  metadata: { name, namespace: 'bar', ...more },
  spec: { coffees: 1 },
})

describe('a control plane as a library: kinds of its own, no network, no workloads, no roles', () => {
  let host: Host
  beforeEach(async () => {
    host = createHost({
      name: 'shop',
      role: 'control-plane',
      plugins: [
        { slot: 'store', plugin: memoryStore },
        { slot: 'orders', plugin: { name: 'orders', api: '^1', kinds: [orders] } },
        { slot: 'namespace', plugin: namespace },
        { slot: 'garbage-collector', plugin: garbageCollector },
      ],
    })
    await host.start()
    await host
      .use(ObjectClientCap)
      .for(Namespace)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bar' } })
  })
  afterEach(() => host.stop())

  it('collects dependents and empties a namespace', async () => {
    const client = host.use(ObjectClientCap)
    const owner = await client.for(Order).create(order('first'))
    const reference = { apiVersion: 'shop.example.com/v1', kind: 'Order', name: 'first', uid: owner.metadata.uid as string }
    await client.for(Order).create(order('second', { ownerReferences: [reference] }))
    await client.for(Order).create(order('third'))
    await client.for(Order).delete('bar/first')
    const names = async () => (await client.for(Order).list({ namespace: 'bar' })).items.map((item) => item.metadata.name)
    await eventually(async () => expect(await names()).toEqual(['third']))
    await client.for(Namespace).delete('bar')
    await eventually(async () => await expect(client.for(Namespace).get('bar')).rejects.toMatchObject({ reason: 'NotFound' }))
    expect(await names()).toEqual([])
  })

  it('validates by the schema and applies with owners', async () => {
    const client = host.use(ObjectClientCap).for(Order)
    await expect(client.create({ ...order('none'), spec: { coffees: 0 } })).rejects.toMatchObject({ reason: 'Invalid' })
    await client.apply(order('mine'), { fieldManager: 'first' })
    await expect(client.apply({ ...order('mine'), spec: { coffees: 2 } }, { fieldManager: 'second' })).rejects.toMatchObject({
      reason: 'Conflict',
    })
  })
})
