import { kernelProxySuite } from '@continuo/testkit'
import { netfilterMissing } from '../../../test/support/netfilter.ts'

kernelProxySuite('nftables', {
  module: new URL('./node-in-namespace.ts', import.meta.url),
  skip: netfilterMissing('nft', 'conntrack', 'ip', 'unshare'),
})
