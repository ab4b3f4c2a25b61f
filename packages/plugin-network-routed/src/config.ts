import { z } from 'zod'
import { parseRange } from './address-pool.ts'

const range = z
  .string()
  .refine((text) => parseRange(text) !== undefined, 'must be an IPv4 range such as 10.244.0.0/16, with a prefix of 8 to 30 bits')

/** Configuration of the routed pod network. */
export const networkConfig = z
  .strictObject({
    nodeName: z.string().optional().describe("The node's name. Default: the host's name in lower case."),
    directory: z
      .string()
      .optional()
      .describe('State, and the network namespaces of pods. Default: `network` in the data directory. Two nodes never share one.'),
    podRanges: z
      .array(range)
      .default([])
      .describe("Ranges of this node's pods. Default: `spec.podCIDRs` of its Node object, for which it waits."),
    clusterRanges: z
      .array(range)
      .default([])
      .describe("Ranges that see pods' own addresses, beside those of all nodes' pods. What goes elsewhere has the node's address."),
    between: z
      .enum(['routes', 'vxlan', 'none'])
      .default('routes')
      .describe(
        "How pods of other nodes are reached. `routes`: through the nodes' addresses, which must be on the same network. `vxlan`: in UDP packets between the nodes. `none`: somebody else sees to it.",
      ),
    vxlan: z
      .strictObject({
        id: z.int().min(1).max(16_777_215).default(173).describe("The overlay's number."),
        port: z.int().min(1).max(65_535).default(4_789).describe('UDP port of all nodes.'),
      })
      .prefault({})
      .describe('Settings of `between: vxlan`, the same on all nodes.'),
    mtu: z.int().min(576).max(65_535).optional().describe("Largest packet of pods' interfaces, bytes. Default: 1500, with `vxlan` 1450."),
    rangeWaitMs: z.int().positive().default(10_000).describe('How long a pod waits for the range of the node. Milliseconds.'),
    resyncMs: z.int().positive().default(60_000).describe('How often rules and routes are put right, whatever changed. Milliseconds.'),
    netns: z.string().optional().describe("Path of the node's network namespace. Default: that of the process."),
    table: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,30}$/)
      .default('continuo_network')
      .describe('Name of the table of nftables that is all ours.'),
  })
  .prefault({})

export type NetworkConfig = z.output<typeof networkConfig>
