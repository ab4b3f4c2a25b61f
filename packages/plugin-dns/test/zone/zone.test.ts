import { describe, expect, it } from 'vitest'
import { types } from '../../src/wire/protocol.ts'
import { ask, makeIndex, makeZone, service, set, slice } from '../zone-fixture.ts'

const index = makeIndex()
set(
  index,
  service('web', { ip: '10.96.0.1' }, { http: 80, dns: [53, 'UDP'], '': 9 }),
  service('dual', { ip: ['10.96.0.2', 'fd00::2'] }),
  service('db', { ip: 'None' }, { sql: 5432 }),
  slice(
    'db',
    'db-1',
    [
      { ip: '10.0.0.1', hostname: 'db-0', ready: true },
      { ip: '10.0.0.2', hostname: 'db-1' },
      { ip: '10.0.0.3', hostname: 'db-2', ready: false },
    ],
    { sql: 5433 },
  ),
  slice('db', 'db-2', [{ ip: '10.0.0.4' }], { sql: 5433 }),
  slice('db', 'db-3', [{ ip: 'fd00::4', hostname: 'db-0' }], { sql: 5433 }),
  service('early', { ip: 'None', publishNotReadyAddresses: true }, { x: 1 }),
  slice('early', 'early-1', [{ ip: '10.0.1.1', hostname: 'a', ready: false }], { x: 1 }),
  service('empty', { ip: 'None' }, { x: 1 }),
  service('away', { type: 'ExternalName', externalName: 'www.example.com.' }),
  service('alias', { type: 'ExternalName', externalName: 'Web.shop.svc.cluster.local' }),
  service('nowhere', { type: 'ExternalName', externalName: 'none.shop.svc.cluster.local' }),
  service('ring', { type: 'ExternalName', externalName: 'ring2.shop.svc.cluster.local' }),
  service('ring2', { type: 'ExternalName', externalName: 'ring.shop.svc.cluster.local' }),
  service('number', { type: 'ExternalName', externalName: '192.0.2.1' }),
  slice('web', 'web-1', [{ ip: '10.0.2.1', hostname: 'w' }], { http: 8080 }),
  slice('orphan', 'orphan-1', [{ ip: '10.0.9.9' }]),
)
const zone = makeZone(index)
const svc = (name: string) => `${name}.svc.cluster.local`

describe('names of the Kubernetes DNS specification', () => {
  it.each([
    ['2.2 version of the schema', 'dns-version.cluster.local', 'TXT', 'TXT "1.1.0"'],
    ['2.3.1 address of a service', svc('web.shop'), 'A', 'A 10.96.0.1'],
    ['2.3.1 another family of it', svc('web.shop'), 'AAAA', '-'],
    ['2.3.1 both families', svc('dual.shop'), 'AAAA', 'AAAA fd00::2'],
    ['2.3.2 SRV of a port', svc('_http._tcp.web.shop'), 'SRV', `SRV 0 100 80 ${svc('web.shop')}`],
    ['2.3.2 SRV of a UDP port', svc('_dns._udp.web.shop'), 'SRV', `SRV 0 100 53 ${svc('web.shop')}`],
    ['2.3.2 the other protocol', svc('_http._udp.web.shop'), 'SRV', 'nxDomain'],
    ['2.3.2 ports without a name have none', svc('_._tcp.web.shop'), 'SRV', 'nxDomain'],
    ['2.3.3 PTR of a service', '1.0.96.10.in-addr.arpa', 'PTR', `PTR ${svc('web.shop')}`],
    [
      '2.3.3 PTR of an IPv6 service',
      '2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa',
      'PTR',
      `PTR ${svc('dual.shop')}`,
    ],
    ['2.4.1 ready endpoints', svc('db.shop'), 'A', 'A 10.0.0.1, A 10.0.0.2, A 10.0.0.4'],
    ['2.4.1 ready endpoints of the other family', svc('db.shop'), 'AAAA', 'AAAA fd00::4'],
    ['2.4.1 no ready endpoint', svc('empty.shop'), 'A', 'nxDomain'],
    ['2.4.1 endpoints that shall be told before they are ready', svc('early.shop'), 'A', 'A 10.0.1.1'],
    ['2.4.1 by host name', svc('db-0.db.shop'), 'A', 'A 10.0.0.1'],
    ['2.4.1 by host name, the other family', svc('db-0.db.shop'), 'AAAA', 'AAAA fd00::4'],
    ['2.4.1 by host name of one that is not ready', svc('db-2.db.shop'), 'A', 'nxDomain'],
    ['2.4.1 by the name that it was given', svc('10-0-0-4.db.shop'), 'A', 'A 10.0.0.4'],
    [
      '2.4.2 SRV of endpoints',
      svc('_sql._tcp.db.shop'),
      'SRV',
      [svc('10-0-0-4.db.shop'), svc('db-0.db.shop'), svc('db-1.db.shop')].map((name) => `SRV 0 33 5433 ${name}`).join(', '),
    ],
    ['2.4.2 SRV without ready endpoints', svc('_x._tcp.empty.shop'), 'SRV', 'nxDomain'],
    ['2.4.3 PTR of an endpoint', '2.0.0.10.in-addr.arpa', 'PTR', `PTR ${svc('db-1.db.shop')}`],
    ['2.4.3 PTR of one that is not ready', '3.0.0.10.in-addr.arpa', 'PTR', 'not ours'],
    ['2.5 another name', svc('away.shop'), 'A', 'CNAME www.example.com'],
    ['2.5 a name of the cluster is followed', svc('alias.shop'), 'A', `A 10.96.0.1, CNAME ${svc('web.shop')}`],
    ['2.5 one that does not exist', svc('nowhere.shop'), 'A', `CNAME ${svc('none.shop')}, nxDomain`],
    ['2.5 the CNAME itself', svc('alias.shop'), 'CNAME', `CNAME ${svc('web.shop')}`],
    ['2.5 a ring ends', svc('ring.shop'), 'A', 'servFail'],
    ['2.5 an address is no name', svc('number.shop'), 'A', '-'],
    ['2.6 a pod by its address', '10-0-0-77.shop.pod.cluster.local', 'A', 'A 10.0.0.77'],
    ['2.6 a pod by its IPv6 address', 'fd00--77.shop.pod.cluster.local', 'AAAA', 'AAAA fd00::77'],
    ['2.6 no address', 'x.shop.pod.cluster.local', 'A', 'nxDomain'],
    ['2.6 no such namespace', '10-0-0-77.none.pod.cluster.local', 'A', 'nxDomain'],
  ] as const)('%s: %s %s', (_, name, type, expected) => {
    expect(ask(zone, name, type)).toBe(expected)
  })
})

describe('what else the zone answers', () => {
  it.each([
    ['a service that does not exist', svc('none.shop'), 'A', 'nxDomain'],
    ['slices without their service', svc('orphan.shop'), 'A', 'nxDomain'],
    ['a namespace that does not exist', svc('web.none'), 'A', 'nxDomain'],
    ['nothing is at a namespace', svc('shop'), 'A', '-'],
    ['nor at svc', 'svc.cluster.local', 'A', '-'],
    ['nor at pod', 'pod.cluster.local', 'A', '-'],
    ['nor at a protocol that has ports', svc('_tcp.web.shop'), 'SRV', '-'],
    ['nor at one that has none', svc('_sctp.web.shop'), 'SRV', 'nxDomain'],
    [
      'SRV of the service itself tells all ports',
      svc('web.shop'),
      'SRV',
      [53, 80, 9].map((at) => `SRV 0 33 ${at} ${svc('web.shop')}`).join(', '),
    ],
    ['endpoints of a service with an address', svc('w.web.shop'), 'A', 'A 10.0.2.1'],
    ['a star is a letter like others', svc('*.shop'), 'A', 'nxDomain'],
    ['a star below a service too', svc('*.db.shop'), 'A', 'nxDomain'],
    ['other data of a service', svc('web.shop'), 'TXT', '-'],
    ['everything, in short', svc('web.shop'), 'ANY', 'HINFO {"cpu":"RFC8482","os":""}'],
    ['everything of what does not exist', svc('none.shop'), 'ANY', 'nxDomain'],
    ['the name server', 'cluster.local', 'NS', 'NS ns.dns.cluster.local'],
    ['its address', 'ns.dns.cluster.local', 'A', 'A 10.96.0.10'],
    ['another search path', 'www.example.com.shop.svc.cluster.local', 'A', 'nxDomain'],
    ['a name beside the zone', 'www.example.com', 'A', 'not ours'],
    ['a domain that only ends alike', 'mycluster.local', 'A', 'not ours'],
  ] as const)('%s: %s %s', (_, name, type, expected) => {
    expect(ask(zone, name, type)).toBe(expected)
  })

  it('says with every absence how long it may be kept', () => {
    for (const name of [svc('none.shop'), svc('shop')]) {
      const [soa] = zone.answer(name, types.A)?.authority ?? []
      expect(soa).toMatchObject({ name: 'cluster.local', type: 'SOA', ttl: 7, data: { minimum: 7 } })
    }
    expect(zone.answer(svc('web.shop'), types.A)?.authority).toEqual([])
  })

  it('gives the addresses of SRV targets along', () => {
    expect(zone.answer(svc('_http._tcp.web.shop'), types.SRV)?.additional).toEqual([
      { name: svc('web.shop'), type: 'A', ttl: 5, data: '10.96.0.1' },
    ])
    expect(zone.answer(svc('_sql._tcp.db.shop'), types.SRV)?.additional).toHaveLength(4)
  })

  it('answers names of pods as it is told to', () => {
    const name = '10-0-0-77.shop.pod.cluster.local'
    expect(ask(makeZone(index, { pods: 'disabled' }), name, 'A')).toBe('nxDomain')
    expect(ask(makeZone(index, { pods: 'verified' }), name, 'A')).toBe('nxDomain')
    const hasPod = (namespace: string, address: string) => namespace === 'shop' && address === '10.0.0.77'
    expect(ask(makeZone(index, { pods: 'verified', hasPod }), name, 'A')).toBe('A 10.0.0.77')
  })
})

describe('the index', () => {
  it('follows services and slices, in whatever order they come', () => {
    const changing = makeIndex()
    const zone = makeZone(changing)
    const one = slice('late', 'late-1', [{ ip: '10.0.0.1', hostname: 'a' }], { x: 1 })
    const both = slice('late', 'late-1', [{ ip: '10.0.0.2', hostname: 'a', ready: false }], { x: 1 })
    set(changing, one)
    expect(ask(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toBe('not ours')
    set(changing, service('late', { ip: 'None' }))
    expect(ask(zone, svc('late.shop'), 'A')).toBe('A 10.0.0.1')
    expect(ask(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toBe(`PTR ${svc('a.late.shop')}`)
    changing.setSlice(one, both)
    expect(ask(zone, svc('late.shop'), 'A')).toBe('nxDomain')
    set(changing, service('late', { ip: 'None', publishNotReadyAddresses: true }))
    expect(ask(zone, svc('late.shop'), 'A')).toBe('A 10.0.0.2')
    expect(ask(zone, '2.0.0.10.in-addr.arpa', 'PTR')).toBe(`PTR ${svc('a.late.shop')}`)
    changing.setService('shop', 'late', undefined)
    expect(ask(zone, svc('late.shop'), 'A')).toBe('nxDomain')
    expect(ask(zone, '2.0.0.10.in-addr.arpa', 'PTR')).toBe('not ours')
  })

  it('moves a slice with its label, and keeps an address that stands in two slices until both are gone', () => {
    const changing = makeIndex()
    const zone = makeZone(changing)
    const first = slice('a', 's-1', [{ ip: '10.0.0.1', hostname: 'h' }])
    const second = slice('a', 's-2', [{ ip: '10.0.0.1', hostname: 'h' }])
    set(changing, service('a', { ip: 'None' }), service('b', { ip: 'None' }), first, second)
    expect(ask(zone, svc('a.shop'), 'A')).toBe('A 10.0.0.1')
    changing.setSlice(first, slice('b', 's-1', [{ ip: '10.0.0.1', hostname: 'h' }]))
    expect(ask(zone, svc('b.shop'), 'A')).toBe('A 10.0.0.1')
    expect(ask(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toBe(`PTR ${svc('h.a.shop')}, PTR ${svc('h.b.shop')}`)
    changing.setSlice(second, undefined)
    expect(ask(zone, svc('a.shop'), 'A')).toBe('nxDomain')
    expect(ask(zone, '1.0.0.10.in-addr.arpa', 'PTR')).toBe(`PTR ${svc('h.b.shop')}`)
  })

  it('forgets namespaces', () => {
    const changing = makeIndex()
    changing.setNamespace('shop', false)
    expect(ask(makeZone(changing), svc('shop'), 'A')).toBe('nxDomain')
  })
})
