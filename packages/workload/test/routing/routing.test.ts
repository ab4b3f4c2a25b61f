import { describe, expect, it } from 'vitest'
import type { ProxyEndpoint, ProxyServicePort } from '../../src/index.ts'
import { datagramTargets, eligibleEndpoints, localEndpoints, serviceAddresses, unroutableAddress } from '../../src/routing/index.ts'

const endpoint = (ip: string, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ip,
  port: 80,
  ready: true,
  serving: true,
  terminating: false,
  ...more,
})
const ips = (list: readonly ProxyEndpoint[]): readonly string[] => list.map(({ ip }) => ip)
const service = (more: Partial<ProxyServicePort>): ProxyServicePort => ({
  id: 'ns/web:http',
  namespace: 'ns',
  service: 'web',
  portName: 'http',
  protocol: 'UDP',
  clusterIPs: ['10.96.0.1'],
  externalIPs: [],
  loadBalancerIPs: [],
  port: 53,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints: [],
  ...more,
})

describe('eligibleEndpoints', () => {
  const place = { nodeName: 'n1', zone: 'east' }

  it('takes terminating endpoints only while none is ready', () => {
    const leaving = endpoint('1', { ready: false, terminating: true })
    expect(ips(eligibleEndpoints([leaving, endpoint('2')], place))).toEqual(['2'])
    expect(ips(eligibleEndpoints([leaving, endpoint('3', { ready: false, serving: false, terminating: true })], place))).toEqual(['1'])
  })

  it('heeds hints when each ready endpoint has them and one names this place; the node before the zone', () => {
    const [east, west] = [endpoint('1', { forZones: ['east'] }), endpoint('2', { forZones: ['west'] })]
    expect(ips(eligibleEndpoints([east, west], place))).toEqual(['1'])
    expect(ips(eligibleEndpoints([east, west, endpoint('3')], place))).toEqual(['1', '2', '3'])
    expect(ips(eligibleEndpoints([west], place))).toEqual(['2'])
    const near = endpoint('4', { forZones: ['west'], forNodes: ['n1'] })
    expect(ips(eligibleEndpoints([near, { ...east, forNodes: ['n2'] }], place))).toEqual(['4'])
  })

  it('keeps to the node, whatever the hints', () => {
    expect(ips(localEndpoints([endpoint('1', { nodeName: 'n1', forZones: ['west'] }), endpoint('2', { nodeName: 'n2' })], 'n1'))).toEqual([
      '1',
    ])
  })
})

describe('addresses', () => {
  it('names each address of a service once, the strongest claim first', () => {
    const addresses = serviceAddresses(
      service({ externalIPs: ['10.96.0.1', '1.1.1.1'], clusterIPs: ['10.96.0.1', 'FD00::0:1'], nodePort: 30_053 }),
    )
    expect(addresses.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'cluster UDP 10.96.0.1 53',
      'cluster UDP fd00::1 53',
      'external UDP 1.1.1.1 53',
      'node-port UDP * 30053',
    ])
  })

  it.each([
    '127.0.0.1',
    '127.255.0.9',
    '::1',
    '0:0:0:0:0:0:0:1',
    '169.254.169.254',
    'fe80::1',
    '224.0.0.1',
    'ff02::1',
    '0.0.0.0',
    '::',
    '::ffff:127.0.0.1',
    '255.255.255.255',
    'x; flush',
    '',
  ])('routes nothing to %s', (ip) => expect(unroutableAddress(ip)).toBeDefined())

  it.each(['10.0.0.1', '192.0.2.1', '223.255.255.1', 'fd00::1', '2001:db8::1'])('routes to %s', (ip) =>
    expect(unroutableAddress(ip)).toBeUndefined(),
  )
})

describe('datagramTargets', () => {
  const state = (...ports: ProxyServicePort[]) => ({ nodeName: 'n1', ports: new Map(ports.map((port) => [port.id, port])) })

  it('names addresses with what may answer now, and what is gone with nothing', () => {
    const before = state(service({ endpoints: [endpoint('1.1.1.1')], nodePort: 30_053 }))
    const now = state(service({ endpoints: [endpoint('2.2.2.2')] }))
    const { ip, ip6 } = datagramTargets(before, now, now.ports.keys()).UDP
    expect(ip.map((target) => [target.ip, target.port, [...target.endpoints]])).toEqual([
      ['10.96.0.1', 53, ['2.2.2.2 80']],
      [undefined, 30_053, []],
    ])
    expect(ip6.map((target) => target.port)).toEqual([30_053])
  })

  it('says nothing of what did not change, and of connections', () => {
    const same = state(service({}))
    expect(datagramTargets(same, same, same.ports.keys()).UDP.ip).toEqual([])
    expect(datagramTargets(undefined, state(service({ protocol: 'TCP' })), ['ns/web:http']).UDP.ip).toEqual([])
  })
})
