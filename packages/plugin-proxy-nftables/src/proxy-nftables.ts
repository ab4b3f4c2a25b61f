import { definePlugin, type FieldError } from '@continuo/core'
import { type AddressFamily, checkCanonicalNetwork, KernelProxy, ServiceProxyCap } from '@continuo/workload'
import { z } from 'zod'
import { NftKeeper } from './nft-keeper.ts'
import { nftRules } from './nft-rules.ts'

const range = z.string().refine((text) => {
  const errors: FieldError[] = []
  checkCanonicalNetwork(text, '', errors)
  return errors.length === 0
}, 'must be a range such as 10.244.0.0/16 or fd00:10:244::/56, without bits behind its prefix')

export const proxyNftablesConfig = z.strictObject({
  table: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and "-", beginning with a letter')
    .default('continuo')
    .describe('Name of the tables that it makes, `ip` and `ip6`. They are its alone: two clusters on one machine need two names.'),
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
    .default(5_000)
    .describe('How often it looks whether somebody removed its tables, chains or rules, and puts them back. Milliseconds.'),
  nft: z.string().min(1).default('nft').describe('The program `nft`, version 1.0.6 or later.'),
  conntrack: z
    .string()
    .min(1)
    .default('conntrack')
    .describe('The program `conntrack`. Without it, datagrams of a busy client go on to an endpoint that is gone.'),
})

/** Service addresses in the kernel, by flat maps of nftables. */
export const proxyNftables = definePlugin({
  name: 'proxy-nftables',
  api: '^1',
  roles: ['node'],
  config: proxyNftablesConfig,
  provides: [ServiceProxyCap],
  setup(ctx) {
    const { podRanges, nodePortRanges, masqueradeMark, guardMs, table, nft, conntrack } = ctx.config
    const durations = ctx.metrics.histogram('service_proxy_sync_duration_seconds', 'Time of transactions of service rules.', {
      labels: ['kind'],
    })
    const changes = ctx.metrics.counter('service_proxy_changes_total', 'Objects of service rules that were changed.', ['kind'])
    const keeper = new NftKeeper({
      clock: ctx.clock,
      log: ctx.log,
      table,
      nft,
      conntrack,
      onSync: ({ kind, seconds, changes: count }) => {
        durations.observe(seconds, { kind })
        changes.inc({ kind }, count)
      },
    })
    const rules = nftRules({ podRanges: byFamily(podRanges), nodePortRanges: byFamily(nodePortRanges), masqueradeMark })
    const proxy = new KernelProxy('nftables', rules, keeper)
    ctx.every(guardMs, () => proxy.guard())
    ctx.provide(ServiceProxyCap, proxy)
  },
})

/** As nft prints them: a range of one address is that address. */
export const byFamily = (ranges: readonly string[]): Readonly<Record<AddressFamily, readonly string[]>> => ({
  ip: ranges.filter((text) => !text.includes(':')).map((text) => text.replace(/\/32$/, '')),
  ip6: ranges.filter((text) => text.includes(':')).map((text) => text.replace(/\/128$/, '')),
})

export default proxyNftables
