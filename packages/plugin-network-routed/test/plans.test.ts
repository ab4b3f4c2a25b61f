import type { Node } from '@continuo/workload'
import { expect, test } from 'vitest'
import { AddressPool, parseRange } from '../src/address-pool.ts'
import { mountedNamespaces } from '../src/namespace-directory.ts'
import { peersOf, planRoutes, wantedRoutes } from '../src/node-routes.ts'
import { packetRules } from '../src/packet-rules.ts'
import { hardwareAddress, isLinkName, linkName } from '../src/wiring.ts'
import { range } from './machine.ts'

const node = (name: string, podCIDRs: string[], address?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { podCIDRs },
  ...(address === undefined ? {} : { status: { addresses: [{ type: 'InternalIP', address }] } }),
})

test.each(['', '10.0.0.0', '10.0.0.1/24', '10.0.0.0/31', '10.0.0.0/7', '256.0.0.0/24', '010.0.0.0/24', 'fd00::/64'])(
  '%o is no range',
  (text) => {
    expect(parseRange(text)).toBeUndefined()
  },
)

test('goes on behind the last address of all, over several ranges, and never gives the first and last of one', () => {
  const pool = new AddressPool()
  pool.setRanges([range('10.0.0.0/30'), range('10.1.0.0/30')])
  const given = [1, 2, 3, 4].map(() => pool.allocate())
  expect(given).toEqual(['10.0.0.1', '10.0.0.2', '10.1.0.1', '10.1.0.2'])
  expect(() => pool.allocate()).toThrow('no free address in 10.0.0.0/30, 10.1.0.0/30')
  pool.release('10.1.0.1')
  expect(pool.allocate()).toBe('10.1.0.1')
})

test('an address outside of the ranges stays taken and disturbs nobody', () => {
  const pool = new AddressPool()
  pool.setRanges([range('10.0.0.0/30')])
  pool.claim('10.9.0.1')
  expect(pool.allocate()).toBe('10.0.0.1')
})

test('peers are the other nodes with an IPv4 address and a range', () => {
  const nodes = [
    node('c', ['10.0.3.0/24', 'fd00::/64'], '192.0.2.3'),
    node('a', ['10.0.1.0/24'], '192.0.2.1'),
    node('b', ['10.0.2.0/24']),
    node('d', [], '192.0.2.4'),
    node('e', ['10.0.5.0/24'], '2001:db8::1'),
  ]
  expect(peersOf(nodes, 'a')).toEqual([{ address: '192.0.2.3', ranges: [parseRange('10.0.3.0/24')] }])
})

test('routes are changed where they differ, and those to pods are left alone', () => {
  const wanted = wantedRoutes([range('10.0.1.0/24')], [{ address: '192.0.2.2', ranges: [range('10.0.2.0/24')] }], undefined)
  const pod = { dst: '10.0.1.5', dev: 'cn01234567890' }
  expect(planRoutes([pod], wanted)).toEqual([
    'route replace unreachable 10.0.1.0/24 proto 173',
    'route replace 10.0.2.0/24 via 192.0.2.2 proto 173',
  ])
  const present = [pod, { type: 'unreachable', dst: '10.0.1.0/24' }, { dst: '10.0.2.0/24', gateway: '192.0.2.9', dev: 'eth0' }]
  expect(planRoutes(present, wanted)).toEqual(['route del 10.0.2.0/24 proto 173', 'route replace 10.0.2.0/24 via 192.0.2.2 proto 173'])
})

test('names of interfaces fit the kernel, and hardware addresses are local and follow from the address', () => {
  const name = linkName('6b0a5c0e-8c1f-4c4e-9a53-0d5a0c4d7c11')
  expect(name.length).toBeLessThanOrEqual(15)
  expect(isLinkName(name)).toBe(true)
  expect(hardwareAddress('10.0.1.255')).toBe('0a:58:0a:00:01:ff')
})

test('the first of two pods has a port that both want, so that the rules load', () => {
  const port = { containerPort: 80, hostPort: 8_080, protocol: 'TCP' as const }
  const rules = packetRules({
    table: 't',
    podRanges: [],
    clusterRanges: [],
    ports: [
      { ...port, ip: '10.0.0.1' },
      { ...port, ip: '10.0.0.2', hostIP: '0.0.0.0' },
    ],
  })
  expect(rules.match(/tcp \. 8080 : [\d.]+/g)).toEqual(['tcp . 8080 : 10.0.0.1'])
})

test('finds the namespaces of a directory, also with spaces in its name', () => {
  const line = (path: string, type: string) => `100 30 0:4 net:[4026532] ${path} rw shared:1 - ${type} nsfs rw`
  const info = [line('/a\\040b/one', 'nsfs'), line('/a\\040b/two', 'tmpfs'), line('/other/three', 'nsfs')].join('\n')
  expect([...mountedNamespaces(info, '/a b')]).toEqual(['/a b/one'])
})
