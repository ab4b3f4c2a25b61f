import type { AddressFamily, ServiceRuleMaker } from '@continuo/workload'
import { serviceRules } from './service-rules.ts'
import { skeleton } from './skeleton.ts'

export interface NftRulesOptions {
  /** Addresses of pods; what comes from elsewhere to a cluster IP is masqueraded. */
  readonly podRanges: Readonly<Record<AddressFamily, readonly string[]>>
  /** Addresses that answer on node ports; none: all of the node except loopback. */
  readonly nodePortRanges: Readonly<Record<AddressFamily, readonly string[]>>
  /** One bit of the packet mark, set between the choice of an endpoint and postrouting. */
  readonly masqueradeMark: number
}

/** Services as flat maps of nftables. Pure. */
export const nftRules = ({ podRanges, nodePortRanges, masqueradeMark }: NftRulesOptions): ServiceRuleMaker => ({
  base: (family) => skeleton({ family, podRanges: podRanges[family], nodePortRanges: nodePortRanges[family], masqueradeMark }),
  rules: (port, addresses, family, place) => serviceRules(port, addresses, { family, place, podRanges: podRanges[family].length > 0 }),
})
