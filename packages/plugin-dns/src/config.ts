import { z } from 'zod'
import { parseServer } from './forward/read-upstreams.ts'

const server = z
  .string()
  .refine((text) => parseServer(text) !== undefined, 'must be an IP address, or one with a port such as 127.0.0.1:53 or [::1]:53')
const listening = z
  .string()
  .refine(
    (text) => parseServer(text.replace(/:0$/, ':1')) !== undefined,
    'must be an IP address with a port such as 127.0.0.1:1053; 0 takes a free one',
  )

/** Configuration of the name server. */
export const dnsConfig = z
  .strictObject({
    domain: z
      .string()
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'must be a domain in lower case, without a final dot')
      .default('cluster.local')
      .describe('Domain of the cluster.'),
    listen: z
      .array(listening)
      .min(1)
      .default(['127.0.0.1:1053'])
      .describe('Where it answers, over UDP and TCP. Port 53 needs root or `net.ipv4.ip_unprivileged_port_start`.'),
    nameservers: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .optional()
      .describe('Addresses that pods get in `resolv.conf`: the cluster IP of `kube-dns`. Default: those of `listen` on port 53, or none.'),
    upstreams: z
      .array(server)
      .optional()
      .describe('Servers for all other names, in their order. Default: those of `/etc/resolv.conf`. An empty list refuses other names.'),
    resolvConf: z.string().default('/etc/resolv.conf').describe("The machine's own file."),
    ttl: z.int().min(0).max(3_600).default(5).describe('Time to live of records of the cluster. Seconds.'),
    negativeTtl: z.int().min(0).max(3_600).default(5).describe('Time for which clients may keep that a name does not exist. Seconds.'),
    pods: z
      .enum(['disabled', 'insecure', 'verified'])
      .default('insecure')
      .describe(
        'Names such as `10-0-0-1.shop.pod.cluster.local`: none, for any address in a namespace that exists, or for addresses of its pods.',
      ),
    reverseRanges: z
      .array(z.union([z.cidrv4(), z.cidrv6()]))
      .default(['127.0.0.0/8'])
      .describe('Addresses whose names no other server is asked for: ranges of services and pods.'),
    udpBytes: z.int().min(512).max(4_096).default(1_232).describe('Largest datagram. Bytes.'),
    upstreamTimeoutMs: z.int().positive().default(2_000).describe('Time that one upstream has for one try. Milliseconds.'),
    maxForwards: z.int().positive().default(1_000).describe('Questions to upstreams that are under way at once.'),
    ratePerSource: z
      .int()
      .min(0)
      .default(0)
      .describe('Questions a second of one address, twice that at once; 0 for no bound. Behind a proxy all clients have one address.'),
    maxConnections: z.int().positive().default(256).describe('TCP connections at once; one without questions ends after ten seconds.'),
    cache: z
      .strictObject({
        entries: z.int().min(0).default(10_000).describe('Most answers of upstreams that are kept.'),
        bytes: z
          .int()
          .min(0)
          .default(8 * 1024 * 1024)
          .describe('Most that they take together. Bytes.'),
        maxTtl: z.int().min(0).default(3_600).describe('Longest time that one is kept. Seconds.'),
        maxNegativeTtl: z.int().min(0).default(300).describe('Longest time that the absence of a name is kept. Seconds.'),
      })
      .prefault({})
      .describe('Cache of answers of upstreams. None is given out after its time.'),
  })
  .prefault({})

export type DnsConfig = z.infer<typeof dnsConfig>
