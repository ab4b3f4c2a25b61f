import { readFileSync } from 'node:fs'
import {
  type ClusterDns,
  emptyResolvConf,
  type PodResolvConf,
  parseResolvConf,
  podResolvConf,
  type ResolvConf,
  type SandboxSpec,
} from '@continuo/workload'
import type { PodView } from './model.ts'

export interface PodDnsOptions {
  /** The name server of the cluster, if it has one. */
  readonly cluster?: ClusterDns
  /** The node's own `resolv.conf`. */
  readonly file: string
}

export interface SandboxDns {
  /** Missing when the pod has what the machine has: that is what runtimes give by themselves. */
  readonly dns?: SandboxSpec['dns']
  readonly problems: PodResolvConf['problems']
}

/** What belongs into the `resolv.conf` of a pod. The machine's own file, some lines, is read each time, because it follows its network. */
export function podDns(pod: PodView, { cluster, file }: PodDnsOptions): SandboxDns {
  const host = readHost(file)
  const { spec } = pod
  const wanted = {
    namespace: pod.metadata.namespace ?? 'default',
    hostNetwork: spec?.hostNetwork ?? false,
    policy: spec?.dnsPolicy,
    config: spec?.dnsConfig,
  }
  const { conf, problems } = podResolvConf(wanted, cluster, host)
  // A cluster that is composed without a name server needs not be told so with every pod.
  const told = cluster === undefined ? problems.filter(({ reason }) => reason !== 'MissingClusterDNS') : problems
  return conf === host ? { problems: told } : { dns: conf, problems: told }
}

function readHost(file: string): ResolvConf {
  try {
    return parseResolvConf(readFileSync(file, 'utf8'))
  } catch {
    return emptyResolvConf
  }
}
