import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ObjectClientCap } from '@continuo/core'
import { expect, it } from 'vitest'
import { Order, openShop } from '../src/coffee-shop.ts'

const source = fileURLToPath(new URL('../src/coffee-shop.ts', import.meta.url))

it('brews every coffee and prints the progress', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@continuo/source', source])
  expect(stdout.trim().split('\n').at(-1)).toBe('table-4: 3 of 3 ready')
})

it('refuses an order that the schema forbids, naming the field', async () => {
  const shop = await openShop()
  const orders = shop.use(ObjectClientCap).for(Order)
  const order: Order = {
    apiVersion: 'shop.example.com/v1',
    kind: 'Order',
    metadata: { name: 'greedy', namespace: 'default' },
    spec: { coffees: 99 },
  }
  await expect(orders.create(order)).rejects.toMatchObject({ reason: 'Invalid', details: { causes: [{ field: 'spec.coffees' }] } })
  await shop.stop()
})

it('stays under 100 lines', async () => {
  expect((await readFile(source, 'utf8')).split('\n').length).toBeLessThan(100)
})
