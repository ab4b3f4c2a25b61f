import { definePlugin, type FieldError } from '@continuo/core'
import { type AddressFamily, checkCanonicalNetwork, KernelProxy, ServiceProxyCap } from '@continuo/workload'
import { z } from 'zod'
import { IptablesKeeper } from './iptables-keeper.ts'
import { iptablesRules } from './iptables-rules.ts'

const range = z.string().refine((text) => {
  const errors: FieldError[] = []
  checkCanonicalNetwork(text, '', errors)
  return errors.length === 0
}, 'must be a range such as 10.244.0.0/16 or fd00:10:244::/56, without bits behind its prefix')

export const proxyIptablesConfig = z.strictObject({
  prefix: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{0,7}$/, 'must be 1 to 8 upper case letters and digits, beginning with a letter')
    .default('CONTINUO')
    .describe('What the names of its chains begin with. They are its alone: two clusters on one machine need two.'),
  serviceRanges: z
    .array(range)
    .max(16)
    .default([])
    .describe('Addresses that services get. There, ports that no service has are refused at once. Empty: they time out.'),
  podRanges: z
    .array(range)
    .max(64)
    .default([])
    .describe(
      'Addresses of pods of the whole cluster. What comes from elsewhere to a cluster IP is masqueraded, and a Local policy lets pods reach every endpoint. Empty: neither.',
    ),
  nodePortRanges: z.array(range).max(64).default([]).describe('Addresses of this node that answer on node ports. Empty: all but loopback.'),
  masqueradeMark: z
    .int()
    .min(1)
    .max(0x8000_0000)
    .refine((mark) => Math.log2(mark) % 1 === 0, 'must be a power of two')
    .default(0x2000)
    .describe('The bit of the packet mark that it uses; another one than that of other programs on the node.'),
  guardMs: z
    .int()
    .min(100)
    .default(15_000)
    .describe('How often it looks whether somebody removed its chains or rules, and puts them back. Milliseconds.'),
  conntrack: z
    .string()
    .min(1)
    .default('conntrack')
    .describe('The program `conntrack`. Without it, datagrams of a busy client go on to an endpoint that is gone.'),
})

/** Service addresses in the kernel, by chains of iptables. */
export const proxyIptables = definePlugin({
  name: 'proxy-iptables',
  api: '^1',
  roles: ['node'],
  config: proxyIptablesConfig,
  provides: [ServiceProxyCap],
  setup(ctx) {
    const { podRanges, nodePortRanges, serviceRanges, masqueradeMark, guardMs, prefix, conntrack } = ctx.config
    const durations = ctx.metrics.histogram('service_proxy_sync_duration_seconds', 'Time of transactions of service rules.', {
      labels: ['kind'],
    })
    const changes = ctx.metrics.counter('service_proxy_changes_total', 'Objects of service rules that were changed.', ['kind'])
    const keeper = new IptablesKeeper({
      clock: ctx.clock,
      log: ctx.log,
      prefix,
      conntrack,
      onSync: ({ kind, seconds, changes: count }) => {
        durations.observe(seconds, { kind })
        changes.inc({ kind }, count)
      },
    })
    const rules = iptablesRules({
      prefix,
      serviceRanges: byFamily(serviceRanges),
      podRanges: byFamily(podRanges),
      nodePortRanges: byFamily(nodePortRanges),
      masqueradeMark,
    })
    const proxy = new KernelProxy('iptables', rules, keeper)
    ctx.every(guardMs, () => proxy.guard())
    ctx.provide(ServiceProxyCap, proxy)
  },
})

/** For the tool of each family. */
export const byFamily = (ranges: readonly string[]): Readonly<Record<AddressFamily, readonly string[]>> => ({
  ip: ranges.filter((text) => !text.includes(':')),
  ip6: ranges.filter((text) => text.includes(':')),
})

export default proxyIptables
