import { silentLog, systemClock } from '@continuo/core'
import { serveKernelProxy } from '@continuo/testkit'
import { KernelProxy } from '@continuo/workload'
import { NftKeeper, nftRules } from '../src/index.ts'
import { nftChecks } from './nft-checks.ts'

const none = { ip: [], ip6: [] }
const rules = nftRules({ podRanges: { ip: ['10.244.0.0/16'], ip6: ['fd00:244::/32'] }, nodePortRanges: none, masqueradeMark: 0x2000 })

serveKernelProxy(
  () =>
    new KernelProxy(
      'nftables',
      rules,
      new NftKeeper({ clock: systemClock, log: silentLog, table: 'continuo', nft: 'nft', conntrack: 'conntrack' }),
    ),
  nftChecks,
)
