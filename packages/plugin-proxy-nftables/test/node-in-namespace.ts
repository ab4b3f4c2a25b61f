import { silentLog, systemClock } from '@continuo/core'
import { serveKernelProxy } from '@continuo/testkit'
import { NftablesProxy } from '../src/index.ts'

serveKernelProxy(
  () =>
    new NftablesProxy({
      clock: systemClock,
      log: silentLog,
      table: 'continuo',
      nft: 'nft',
      conntrack: 'conntrack',
      masqueradeMark: 0x2000,
      podRanges: { ip: ['10.244.0.0/16'], ip6: ['fd00:244::/32'] },
      nodePortRanges: { ip: [], ip6: [] },
    }),
)
