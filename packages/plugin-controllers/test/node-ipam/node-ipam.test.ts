import type { AdmissionRequest, CompanionWrite, UnstructuredObject } from '@continuo/core'
import type { Node } from '@continuo/workload'
import { expect, test } from 'vitest'
import { NodeRangeAllocator } from '../../src/node-ipam/node-ipam.ts'
import { divide, partsOf } from '../../src/node-ipam/node-ranges.ts'

const nodeOf = (name: string, podCIDRs: string[] = [], metadata: Partial<Node['metadata']> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, ...metadata },
  spec: podCIDRs.length === 0 ? {} : { podCIDR: podCIDRs[0], podCIDRs },
})

/** Applies claims as the store would: all or nothing. */
function ipam(cidr = '10.244.0.0/22', bits = 24) {
  const claims = new Map<string, string>()
  const target = new NodeRangeAllocator(divide(cidr, bits)!, () => [])
  async function run(operation: AdmissionRequest['operation'], object: Node | undefined, oldObject?: Node): Promise<Node> {
    const writes: CompanionWrite[] = []
    const next = structuredClone(object)
    await target.admit({
      operation,
      object: next as unknown as UnstructuredObject,
      oldObject,
      options: {},
      name: object?.metadata.name ?? oldObject?.metadata.name ?? '',
      read: { claim: async (key: string) => claims.get(key) },
      companion: (write: CompanionWrite) => void writes.push(write),
    } as unknown as AdmissionRequest)
    for (const write of writes) if (write.type === 'release') claims.delete(write.key)
    for (const write of writes) if (write.type === 'claim') claims.set(write.key, write.value)
    return next as Node
  }
  return { claims, run, create: (name: string, podCIDRs?: string[]) => run('CREATE', nodeOf(name, podCIDRs)) }
}

test('gives each node a part of its own until there is none', async () => {
  const { create } = ipam()
  const given = []
  for (const name of ['a', 'b', 'c', 'd']) given.push((await create(name)).spec)
  expect(given[0]).toEqual({ podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] })
  expect(new Set(given.map((spec) => spec?.podCIDR)).size).toBe(4)
  await expect(create('e')).rejects.toThrow('failed to allocate a range of pod addresses: 10.244.0.0/22 is full')
})

test('releases the part with the node, and gives it last', async () => {
  const { create, run, claims } = ipam()
  const a = await create('a')
  await run('DELETE', undefined, a)
  expect(claims.size).toBe(0)
  const later = []
  for (const name of ['b', 'c', 'd', 'e']) later.push((await create(name)).spec?.podCIDR)
  expect(later.at(-1)).toBe('10.244.0.0/24')
})

test('a node that finalizers hold keeps its part until the last of them goes', async () => {
  const { create, run, claims } = ipam()
  const a = await create('a')
  const holding = nodeOf('a', a.spec?.podCIDRs, { finalizers: ['x/y'] })
  await run('DELETE', undefined, holding)
  expect(claims.size).toBe(1)
  const going = nodeOf('a', a.spec?.podCIDRs, { finalizers: ['x/y'], deletionTimestamp: '2026-01-01T00:00:00Z' })
  await run('UPDATE', nodeOf('a', a.spec?.podCIDRs, { deletionTimestamp: '2026-01-01T00:00:00Z' }), going)
  expect(claims.size).toBe(0)
})

test('takes the range that a node names, whatever its size, and refuses one that overlaps', async () => {
  const { create, claims } = ipam()
  await create('a', ['10.244.0.0/23'])
  expect([...claims.keys()]).toEqual(['allocations/node-ranges/10.244.0.0/24', 'allocations/node-ranges/10.244.1.0/24'])
  expect((await create('b')).spec?.podCIDR).toBe('10.244.2.0/24')
  await expect(create('c', ['10.244.1.128/25'])).rejects.toThrow('overlaps with 10.244.1.0/24, which is allocated to node "a"')
})

test('leaves ranges from elsewhere alone', async () => {
  const { create, claims } = ipam()
  expect((await create('a', ['192.168.0.0/24', 'fd00::/64'])).spec?.podCIDRs).toEqual(['192.168.0.0/24', 'fd00::/64'])
  expect(claims.size).toBe(0)
})

test('a node that has none gets one with its next update, and keeps it', async () => {
  const { run, claims } = ipam()
  const after = await run('UPDATE', nodeOf('old'), nodeOf('old'))
  expect(after.spec?.podCIDR).toBe('10.244.0.0/24')
  expect(await run('UPDATE', after, after)).toEqual(after)
  expect(claims.size).toBe(1)
})

test.each([
  ['10.244.0.0/16', 8],
  ['10.244.0.1/16', 24],
  ['10.0.0.0/8', 30],
  ['10.0.0.0/24', 31],
  ['fd00::/48', 24],
])('%s is not divided into parts of %i bits', (cidr, bits) => {
  expect(divide(cidr, bits)).toBeUndefined()
})

test('knows which parts a range touches', () => {
  const range = divide('10.244.0.0/22', 24)!
  expect(partsOf(range, '10.0.0.0/8')).toEqual([0, 1, 2, 3])
  expect(partsOf(range, '10.244.2.16/28')).toEqual([2])
  expect(partsOf(range, '10.245.0.0/16')).toEqual([])
})
