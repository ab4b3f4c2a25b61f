import { createHost, definePlugin, defineResource, type Host, type KubeObject, kind, memoryStore, ObjectClientCap } from '@continuo/core'

/** Our own kind: somebody wants coffees, the barista says how many are ready. */
export interface Order extends KubeObject {
  spec: { coffees: number }
  status?: { ready: number }
}

export const Order = kind<Order>({ group: 'shop.example.com', version: 'v1', kind: 'Order', resource: 'orders', namespaced: true })

const orderResource = defineResource({
  group: 'shop.example.com',
  plural: 'orders',
  kind: 'Order',
  namespaced: true,
  storageVersion: 'v1',
  versions: [
    {
      name: 'v1',
      schema: {
        type: 'object',
        required: ['spec'],
        properties: {
          spec: { type: 'object', required: ['coffees'], properties: { coffees: { type: 'integer', minimum: 1, maximum: 10 } } },
          status: { type: 'object', properties: { ready: { type: 'integer' } } },
        },
      },
      subresources: [
        {
          type: 'object',
          name: 'status',
          kind: { group: 'shop.example.com', version: 'v1', kind: 'Order' },
          verbs: ['get', 'update', 'patch'],
          write: (order, body) => ({ ...order, status: body.status }),
        },
      ],
    },
  ],
})

/** Brews one coffee at a time until the order is complete. */
export const barista = definePlugin({
  name: 'barista',
  api: '^1',
  kinds: [orderResource],
  setup(ctx) {
    const orders = ctx.informer(Order)
    ctx.controller({
      name: 'barista',
      for: Order,
      async reconcile(key, { client }) {
        const order = orders.lister.get(key)
        if (order === undefined) return
        const ready = order.status?.ready ?? 0
        if (ready >= order.spec.coffees) return
        await client
          .for(Order)
          .subresource('status')
          .patch(key, { type: 'merge', body: { status: { ready: ready + 1 } } })
        return { requeueAfterMs: 10 }
      },
    })
  },
})

/** A control plane for coffee in this process: no HTTP, no disk. */
export async function openShop(): Promise<Host> {
  const host = createHost({
    name: 'shop',
    role: 'control-plane',
    plugins: [
      { slot: 'store', plugin: memoryStore },
      { slot: 'barista', plugin: barista },
    ],
  })
  await host.start()
  return host
}

if (import.meta.main) {
  const shop = await openShop()
  const orders = shop.use(ObjectClientCap).for(Order)
  await orders.create({
    apiVersion: 'shop.example.com/v1',
    kind: 'Order',
    metadata: { name: 'table-4', namespace: 'default' },
    spec: { coffees: 3 },
  })
  const close = new AbortController()
  for await (const event of await orders.watch({ namespace: 'default', signal: close.signal })) {
    if (event.type === 'BOOKMARK') continue
    console.log(`${event.object.metadata.name}: ${event.object.status?.ready ?? 0} of ${event.object.spec.coffees} ready`)
    if (event.object.status?.ready === event.object.spec.coffees) close.abort()
  }
  await shop.stop()
}
