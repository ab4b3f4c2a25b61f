import { describe, expect, it } from 'vitest'
import { formatResolvConf, type PodDnsWanted, parseResolvConf, podResolvConf } from '../../src/index.ts'

const cluster = { domain: 'cluster.local', nameservers: ['10.96.0.10'] }
const host = parseResolvConf(
  '# made by hand\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch corp.example. example.net\noptions timeout:1\n',
)
const of = (wanted: Partial<PodDnsWanted>, servers: typeof cluster | undefined = cluster, node = host) =>
  podResolvConf({ namespace: 'shop', hostNetwork: false, ...wanted }, servers, node)

const inCluster = {
  nameservers: ['10.96.0.10'],
  searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example', 'example.net'],
  options: ['ndots:5'],
}

describe('the resolv.conf of a pod', () => {
  it.each([
    ['no policy is ClusterFirst', {}, inCluster],
    ['ClusterFirst', { policy: 'ClusterFirst' }, inCluster],
    ['ClusterFirst on the network of the host is Default', { policy: 'ClusterFirst', hostNetwork: true }, host],
    ['ClusterFirstWithHostNet', { policy: 'ClusterFirstWithHostNet', hostNetwork: true }, inCluster],
    ['Default', { policy: 'Default' }, host],
    ['None', { policy: 'None', config: { nameservers: ['192.0.2.9'] } }, { nameservers: ['192.0.2.9'], searches: [], options: [] }],
  ])('%s', (_, wanted, expected) => {
    expect(of(wanted)).toEqual({ conf: expected, problems: [] })
  })

  it('merges what the pod adds: servers and searches behind, options over those of the policy, nothing twice', () => {
    const config = {
      nameservers: ['10.96.0.10', '192.0.2.9'],
      searches: ['svc.cluster.local', 'ns1.example'],
      options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
    }
    expect(of({ config }).conf).toEqual({
      nameservers: ['10.96.0.10', '192.0.2.9'],
      searches: [...inCluster.searches, 'ns1.example'],
      options: ['ndots:2', 'edns0'],
    })
  })

  it('falls back to the file of the node without a name server of the cluster, and says so', () => {
    for (const servers of [undefined, { ...cluster, nameservers: [] }]) {
      const { conf, problems } = podResolvConf({ namespace: 'shop', hostNetwork: false }, servers, host)
      expect(conf).toEqual(host)
      expect(problems).toEqual([expect.objectContaining({ reason: 'MissingClusterDNS' })])
    }
  })

  it('keeps to three name servers, 32 searches and 2,048 characters, and says what it applied', () => {
    const servers = of({ config: { nameservers: ['192.0.2.2', '192.0.2.3', '192.0.2.4'] } })
    expect(servers.conf.nameservers).toEqual(['10.96.0.10', '192.0.2.2', '192.0.2.3'])
    expect(servers.problems[0]?.message).toContain('the applied nameserver line is: 10.96.0.10 192.0.2.2 192.0.2.3')
    const many = of({ config: { searches: Array.from({ length: 40 }, (_, at) => `s${at}.example`) } })
    expect(many.conf.searches).toHaveLength(32)
    const long = of({ config: { searches: Array.from({ length: 20 }, (_, at) => `${'x'.repeat(190)}.s${at}.example`) } })
    expect(long.conf.searches.join(' ').length).toBeLessThanOrEqual(2_048)
    expect(long.conf.searches.slice(0, 3)).toEqual(inCluster.searches.slice(0, 3))
    expect(long.problems).toEqual([expect.objectContaining({ reason: 'DNSConfigForming' })])
  })
})

describe('the text of a resolv.conf', () => {
  it('is read back as it was written', () => {
    expect(parseResolvConf(formatResolvConf(inCluster))).toEqual(inCluster)
    expect(formatResolvConf(inCluster)).toBe(
      'search shop.svc.cluster.local svc.cluster.local cluster.local corp.example example.net\nnameserver 10.96.0.10\noptions ndots:5\n',
    )
    expect(formatResolvConf({ nameservers: [], searches: [], options: [] })).toBe('')
  })

  it('takes comments, tabs and the older domain; what it does not know is passed over', () => {
    expect(parseResolvConf('; x\ndomain\told.example\nsortlist 1.2.3.4\nnameserver\t192.0.2.1 # first\n')).toEqual({
      nameservers: ['192.0.2.1'],
      searches: ['old.example'],
      options: [],
    })
  })
})
