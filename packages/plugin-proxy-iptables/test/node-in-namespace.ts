import { silentLog, systemClock } from '@continuo/core'
import { serveKernelProxy } from '@continuo/testkit'
import { KernelProxy } from '@continuo/workload'
import { IptablesKeeper, iptablesRules } from '../src/index.ts'
import { iptablesChecks } from './iptables-checks.ts'

const rules = iptablesRules({
  prefix: 'CONTINUO',
  podRanges: { ip: ['10.244.0.0/16'], ip6: ['fd00:244::/32'] },
  serviceRanges: { ip: ['10.96.0.0/16'], ip6: ['fd00:96::/112'] },
  nodePortRanges: { ip: [], ip6: [] },
  masqueradeMark: 0x2000,
})

serveKernelProxy(
  () =>
    new KernelProxy(
      'iptables',
      rules,
      new IptablesKeeper({ clock: systemClock, log: silentLog, prefix: 'CONTINUO', conntrack: 'conntrack' }),
    ),
  iptablesChecks,
)
