import { kernelProxySuite } from '@continuo/testkit'
import { netfilterMissing } from '../../../test/support/netfilter.ts'
import { iptablesChecks } from './iptables-checks.ts'

kernelProxySuite('iptables', {
  module: new URL('./node-in-namespace.ts', import.meta.url),
  more: Object.keys(iptablesChecks),
  skip: netfilterMissing('iptables-restore', 'conntrack', 'ip', 'unshare'),
})
