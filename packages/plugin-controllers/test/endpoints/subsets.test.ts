import { expect, test } from 'vitest'
import { endpointSubsets } from '../../src/endpoints/subsets.ts'
import { podOf, serviceOf } from '../objects.ts'

const ips = (addresses: readonly { ip: string }[] | undefined) => addresses?.map(({ ip }) => ip)

test('sorts addresses, keeps the unready apart and leaves out those that go, have ended or have no address', () => {
  const pods = [
    podOf('b', { ip: '10.0.0.2' }),
    podOf('a', { ip: '10.0.0.1' }),
    podOf('sick', { ip: '10.0.0.3', ready: false }),
    podOf('going', { ip: '10.0.0.4', deleted: true }),
    podOf('done', { ip: '10.0.0.5', phase: 'Succeeded' }),
    podOf('new'),
  ]
  const { subsets } = endpointSubsets(serviceOf(), pods)
  expect(subsets).toHaveLength(1)
  expect(ips(subsets[0]?.addresses)).toEqual(['10.0.0.1', '10.0.0.2'])
  expect(ips(subsets[0]?.notReadyAddresses)).toEqual(['10.0.0.3'])
  expect(subsets[0]?.ports).toEqual([{ port: 8080, protocol: 'TCP' }])
  expect(subsets[0]?.addresses?.[0]).toMatchObject({
    nodeName: 'n1',
    targetRef: { kind: 'Pod', name: 'a', namespace: 'default', uid: 'a' },
  })
})

test('publishes pods whatever their state when asked to', () => {
  const pods = [podOf('sick', { ip: '10.0.0.3', ready: false }), podOf('going', { ip: '10.0.0.4', deleted: true })]
  expect(ips(endpointSubsets(serviceOf({ publishNotReadyAddresses: true }), pods).subsets[0]?.addresses)).toEqual(['10.0.0.3', '10.0.0.4'])
})

test('pods with other numbers behind a named port get a subset of their own, those without it none', () => {
  const pods = [
    podOf('a', { ip: '10.0.0.1' }),
    podOf('b', { ip: '10.0.0.2', ports: [{ name: 'http', containerPort: 9090 }] }),
    podOf('c', { ip: '10.0.0.3', ports: [] }),
  ]
  const { subsets } = endpointSubsets(serviceOf(), pods)
  expect(subsets.map((subset) => [ips(subset.addresses), subset.ports?.[0]?.port])).toEqual([
    [['10.0.0.1'], 8080],
    [['10.0.0.2'], 9090],
  ])
})

test('cuts at a thousand addresses, ready ones first', () => {
  const pods = Array.from({ length: 1001 }, (_, i) => podOf(`p${i}`, { ip: `10.0.${Math.floor(i / 250)}.${i % 250}`, ready: i !== 0 }))
  const { subsets, truncated } = endpointSubsets(serviceOf(), pods)
  expect(truncated).toBe(true)
  expect([subsets[0]?.addresses?.length, subsets[0]?.notReadyAddresses]).toEqual([1000, undefined])
})
