import { kernelProxySuite } from '@continuo/testkit'
import { netfilterMissing } from '../../../test/support/netfilter.ts'
import { nftChecks } from './nft-checks.ts'

kernelProxySuite('nftables', {
  module: new URL('./node-in-namespace.ts', import.meta.url),
  more: Object.keys(nftChecks),
  broken: true,
  skip: netfilterMissing('nft', 'conntrack', 'ip', 'unshare'),
})
