import type { AddressFamily, ServiceRuleMaker } from '@continuo/workload'
import { baseRules } from './base-rules.ts'
import { serviceRules } from './service-rules.ts'

type ByFamily = Readonly<Record<AddressFamily, readonly string[]>>

export interface IptablesRulesOptions {
  /** What the names of its chains begin with. */
  readonly prefix: string
  /** Addresses of pods; what comes from elsewhere to a cluster IP is masqueraded. */
  readonly podRanges: ByFamily
  /** Addresses that services get; ports that they do not have are refused. */
  readonly serviceRanges: ByFamily
  /** Addresses that answer on node ports; none: all of the node except loopback. */
  readonly nodePortRanges: ByFamily
  /** One bit of the packet mark, set between the choice of an endpoint and postrouting. */
  readonly masqueradeMark: number
}

/** Services as chains of iptables. Pure. */
export const iptablesRules = (options: IptablesRulesOptions): ServiceRuleMaker => ({
  base: (family) =>
    baseRules(family, {
      ...options,
      podRanges: options.podRanges[family],
      serviceRanges: options.serviceRanges[family],
      nodePortRanges: options.nodePortRanges[family],
    }),
  rules: (port, addresses, family, place) =>
    serviceRules(port, addresses, family, place, { prefix: options.prefix, podRanges: options.podRanges[family] }),
})
