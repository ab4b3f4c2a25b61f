import type { DeepReadonly } from '@continuo/core'
import type { ClusterDns } from '../contracts/cluster-dns.ts'
import type { PodDNSConfig } from '../generated/types/index.ts'
import { emptyResolvConf, type ResolvConf } from './resolv-conf.ts'

/** What resolvers take; more is left out. */
const most = { nameservers: 3, searches: 32, searchBytes: 2_048 } as const

/** What of a pod decides how its containers resolve names. */
export interface PodDnsWanted {
  readonly namespace: string
  readonly hostNetwork: boolean
  /** `ClusterFirst` unless it says otherwise. */
  readonly policy?: string
  readonly config?: DeepReadonly<PodDNSConfig>
}

export interface PodResolvConf {
  readonly conf: ResolvConf
  /** For an Event of the pod: what was left out, or that the cluster has no name server. In Kubernetes' words. */
  readonly problems: readonly { readonly reason: 'DNSConfigForming' | 'MissingClusterDNS'; readonly message: string }[]
}

/**
 * The `resolv.conf` of a pod by its policy, with its own configuration merged in, cut to what resolvers take. Pure.
 * @param host what the node's own file says
 */
export function podResolvConf(wanted: PodDnsWanted, cluster: ClusterDns | undefined, host: ResolvConf): PodResolvConf {
  const problems: { reason: 'DNSConfigForming' | 'MissingClusterDNS'; message: string }[] = []
  const base = baseOf(wanted, cluster, host, (message) => problems.push({ reason: 'MissingClusterDNS', message }))
  const merged = wanted.config === undefined ? base : merge(base, wanted.config)
  const conf = cut(merged, (message) => problems.push({ reason: 'DNSConfigForming', message }))
  return { conf, problems }
}

function baseOf(
  { namespace, hostNetwork, policy = 'ClusterFirst' }: PodDnsWanted,
  cluster: ClusterDns | undefined,
  host: ResolvConf,
  missing: (message: string) => void,
): ResolvConf {
  if (policy === 'None') return emptyResolvConf
  if (policy === 'Default' || (policy === 'ClusterFirst' && hostNetwork)) return host
  if (cluster === undefined || cluster.nameservers.length === 0) {
    missing(`the node has no address of a cluster DNS server and cannot create a pod with the policy "${policy}"; using "Default"`)
    return host
  }
  const { domain } = cluster
  return {
    nameservers: cluster.nameservers,
    searches: unique([`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches]),
    options: ['ndots:5'],
  }
}

const unique = (words: readonly string[]): readonly string[] => [...new Set(words)]

function merge(base: ResolvConf, config: DeepReadonly<PodDNSConfig>): ResolvConf {
  const options = new Map(base.options.map((option) => [option.split(':', 1)[0] as string, option]))
  for (const { name = '', value } of config.options ?? [])
    if (name !== '') options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    nameservers: unique([...base.nameservers, ...(config.nameservers ?? [])]),
    searches: unique([...base.searches, ...(config.searches ?? [])]),
    options: [...options.values()],
  }
}

const fits = (searches: readonly string[]): boolean => searches.length <= most.searches && searches.join(' ').length <= most.searchBytes

function cut(conf: ResolvConf, left: (message: string) => void): ResolvConf {
  const nameservers = conf.nameservers.slice(0, most.nameservers)
  if (nameservers.length < conf.nameservers.length)
    left(`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${nameservers.join(' ')}`)
  if (nameservers.length === conf.nameservers.length && fits(conf.searches)) return conf
  let searches = conf.searches.slice(0, most.searches)
  while (!fits(searches)) searches = searches.slice(0, -1)
  if (searches.length < conf.searches.length)
    left(`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`)
  return { nameservers, searches, options: conf.options }
}
