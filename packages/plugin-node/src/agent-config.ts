import { z } from 'zod'

/** Configuration of the node agent. */
export const agentConfig = z.strictObject({
  nodeName: z.string().optional().describe("The node's name. Default: the host's name in lower case."),
  directory: z.string().optional().describe('Where volumes of pods live. Default: `node/<name>` in the data directory.'),
  address: z.string().optional().describe("The node's address. Default: the first that is not loopback."),
  labels: z.record(z.string(), z.string()).default({}).describe('Labels of the node beside the well-known ones.'),
  taints: z
    .array(
      z.strictObject({ key: z.string(), value: z.string().optional(), effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']) }),
    )
    .default([])
    .describe('Taints that the node registers with.'),
  maxPods: z.int().min(1).default(110).describe('Most pods that the node takes.'),
  capacity: z
    .strictObject({
      cpu: z.string().optional().describe('Cores, as `4` or `500m`.'),
      memory: z.string().optional().describe('Memory, as `16Gi`.'),
    })
    .default({})
    .describe('Replaces what the machine says of itself.'),
  leaseSeconds: z.number().positive().default(40).describe('Duration of the heartbeat lease; renewed four times in it.'),
  relistMs: z
    .int()
    .positive()
    .default(2_000)
    .describe('How often the runtime is asked for its state, whatever its events say. Milliseconds.'),
  onStop: z
    .enum(['leave', 'stop'])
    .default('leave')
    .describe('What happens to containers when the agent stops in good order: they run on and are taken over later, or they end.'),
  stopGraceMs: z.int().min(0).default(4_000).describe('Grace of each container when `onStop` is `stop`. Milliseconds.'),
  refreshMs: z.int().positive().default(10_000).describe('How often volumes that follow objects are brought up to date. Milliseconds.'),
  dns: z
    .strictObject({
      nameservers: z
        .array(z.string())
        .optional()
        .describe('Name servers of the cluster for `resolv.conf` of pods. Default: those of the composed name server.'),
      domain: z.string().default('cluster.local').describe('Domain of the cluster, where `nameservers` are named.'),
      resolvConf: z.string().default('/etc/resolv.conf').describe("The machine's own file, for pods that resolve names as it does."),
    })
    .prefault({})
    .describe('How pods resolve names.'),
  log: z
    .strictObject({
      maxBytes: z
        .int()
        .min(4_096)
        .default(10 * 1024 * 1024)
        .describe("Size at which a container's log is rotated. Bytes."),
      maxFiles: z.int().min(2).default(5).describe('Files that a container keeps, the current one included.'),
    })
    .prefault({})
    .describe("Rotation of containers' logs."),
})

export type AgentConfig = z.infer<typeof agentConfig>
