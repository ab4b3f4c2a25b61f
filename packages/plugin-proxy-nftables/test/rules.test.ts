import { type ProxyEndpoint, type ProxyServicePort, ServiceProgramme } from '@continuo/workload'
import { describe, expect, it } from 'vitest'
import { nftRules } from '../src/index.ts'
import { transaction } from '../src/rule-set.ts'

const endpoint = (ip: string, more: Partial<ProxyEndpoint> = {}): ProxyEndpoint => ({
  ip,
  port: 8080,
  ready: true,
  serving: true,
  terminating: false,
  nodeName: 'there',
  ...more,
})
const service = (more: Partial<ProxyServicePort> = {}): ProxyServicePort => ({
  id: 'ns/web:http',
  namespace: 'ns',
  service: 'web',
  portName: 'http',
  protocol: 'TCP',
  clusterIPs: ['10.96.0.1'],
  externalIPs: [],
  loadBalancerIPs: [],
  port: 80,
  internalTrafficPolicy: 'Cluster',
  externalTrafficPolicy: 'Cluster',
  endpoints: [endpoint('10.244.1.1'), endpoint('10.244.1.2')],
  ...more,
})
const none = { ip: [], ip6: [] }
const programme = (): ServiceProgramme =>
  new ServiceProgramme(nftRules({ podRanges: { ip: ['10.244.0.0/16'], ip6: [] }, nodePortRanges: none, masqueradeMark: 0x2000 }), [
    'ip',
    'ip6',
  ])
const apply = (to: ServiceProgramme, ...ports: readonly ProxyServicePort[]) =>
  to.update(
    { nodeName: 'here', ports: new Map(ports.map((port) => [port.id, port])) },
    new Set([...ports.map(({ id }) => id), ...to.ids()]),
  )

describe('rules of nftables', () => {
  it('makes a service of few endpoints of elements alone', () => {
    const changes = apply(programme(), service())
    expect(transaction('ip t', changes.ip)).toEqual([
      'add element ip t cluster-ip { 10.96.0.1 }',
      'add element ip t service { 10.96.0.1 . tcp . 80 : goto cluster-2 }',
      'add element ip t endpoint-0 { 10.96.0.1 . tcp . 80 : 10.244.1.1 . 8080 }',
      'add element ip t endpoint-1 { 10.96.0.1 . tcp . 80 : 10.244.1.2 . 8080 }',
    ])
    expect(changes.ip6).toEqual([])
  })

  it('changes the elements that differ, deletes before it adds, and undoes everything', () => {
    const rules = programme()
    const before = new Map(rules.wanted('ip'))
    apply(rules, service())
    expect(transaction('ip t', apply(rules, service({ endpoints: [endpoint('10.244.1.2')] })).ip)).toEqual([
      'delete element ip t service { 10.96.0.1 . tcp . 80 }',
      'delete element ip t endpoint-0 { 10.96.0.1 . tcp . 80 }',
      'delete element ip t endpoint-1 { 10.96.0.1 . tcp . 80 }',
      'add element ip t service { 10.96.0.1 . tcp . 80 : goto cluster-1 }',
      'add element ip t endpoint-0 { 10.96.0.1 . tcp . 80 : 10.244.1.2 . 8080 }',
    ])
    apply(rules)
    expect(rules.wanted('ip')).toEqual(before)
  })

  it('makes chains before rules that lead there, and deletes them when nothing leads there', () => {
    const rules = programme()
    const made = transaction('ip t', apply(rules, service({ sessionAffinitySeconds: 60 })).ip)
    const first = (start: string): number => made.findIndex((command) => command.startsWith(start))
    expect(first('add set')).toBeLessThan(first('add chain'))
    expect(first('add chain')).toBeLessThan(first('add rule'))
    expect(first('add rule')).toBeLessThan(first('add element'))
    const undone = transaction('ip t', apply(rules).ip)
    const at = (start: string): number => undone.findIndex((command) => command.startsWith(start))
    expect(at('delete element')).toBeLessThan(at('flush chain'))
    expect(at('flush chain')).toBeLessThan(at('delete chain'))
    expect(at('delete chain')).toBeLessThan(at('delete set'))
  })

  it('keeps an object for as long as one of two services needs it', () => {
    const rules = programme()
    const local = [endpoint('10.244.1.1', { nodeName: 'here' })]
    const other = service({ id: 'ns/web:other', portName: 'other', port: 81, endpoints: local })
    apply(rules, service({ endpoints: local }), other)
    apply(rules, other)
    expect(rules.wanted('ip').has('element hairpin 10.244.1.1 . 10.244.1.1')).toBe(true)
    expect(rules.wanted('ip').has('element cluster-ip 10.96.0.1')).toBe(true)
    apply(rules)
    expect(rules.wanted('ip').has('element hairpin 10.244.1.1 . 10.244.1.1')).toBe(false)
  })

  it('puts each family into its own table, and says that an address needs a family that the kernel has not', () => {
    const both = service({ clusterIPs: ['10.96.0.1', 'fd00::1'], endpoints: [endpoint('10.244.1.1'), endpoint('fd00:2::1')] })
    const { ip, ip6 } = apply(programme(), both)
    expect(ip.map(({ key }) => key)).toContain('element endpoint-0 10.96.0.1 . tcp . 80')
    expect(ip6.map(({ key }) => key)).toContain('element endpoint-0 fd00::1 . tcp . 80')
    const old = new ServiceProgramme(nftRules({ podRanges: none, nodePortRanges: none, masqueradeMark: 1 }), ['ip'])
    apply(old, both)
    expect(old.problems()).toMatchObject([{ id: 'ns/web:http', reason: 'AddressNotAvailable' }])
  })

  it('drops where a Local policy leaves none and others have some, and refuses where nobody has', () => {
    const rules = programme()
    apply(rules, service({ internalTrafficPolicy: 'Local' }))
    expect(rules.wanted('ip').get('element no-endpoint 10.96.0.1 . tcp . 80')).toBe('drop')
    apply(rules, service({ internalTrafficPolicy: 'Local', endpoints: [] }))
    expect(rules.wanted('ip').get('element no-endpoint 10.96.0.1 . tcp . 80')).toBe('goto refuse')
  })

  it('gives more endpoints than there are slots a chain of their own', () => {
    const rules = programme()
    apply(rules, service({ endpoints: Array.from({ length: 9 }, (_, index) => endpoint(`10.244.1.${index + 1}`)) }))
    expect(rules.wanted('ip').get('element service 10.96.0.1 . tcp . 80')).toBe('goto svc/ns/web/tcp/http/cluster')
    expect(rules.wanted('ip').get('chain svc/ns/web/tcp/http/any')).toContain('numgen random mod 9')
  })
})
