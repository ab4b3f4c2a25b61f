import { z } from 'zod'

const image = z.strictObject({
  root: z.string().optional().describe("Directory that holds the image's files; the default working directory."),
  command: z.array(z.string()).default([]).describe('Entry point, used when the container names no command.'),
  args: z
    .array(z.string())
    .default([])
    .describe('Arguments of the entry point, used when the container names neither command nor arguments.'),
  env: z.record(z.string(), z.string()).default({}).describe('Variables of its containers.'),
  workingDir: z.string().optional().describe('Working directory. Default: `root`.'),
  stopSignal: z.string().optional().describe('Signal that asks it to stop. Default: SIGTERM.'),
})

/** Configuration of the process runtime. */
export const runtimeProcessConfig = z.strictObject({
  directory: z
    .string()
    .optional()
    .describe(
      'State, logs and working directories. A restarted agent finds its containers here. Default: `runtime` in the data directory.',
    ),
  addresses: z.string().default('127.64.0.0/12').describe('Range of loopback addresses that sandboxes get.'),
  hostAddress: z.string().default('127.0.0.1').describe("Address of sandboxes on the host's network."),
  images: z.record(z.string(), image).default({}).describe('Images by name. A name without a tag means `:latest`, `name:*` any tag.'),
  namespaces: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('`auto`: volumes are mounted at their true paths where the system allows a mount namespace. `off`: never.'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe("Variables that every container gets unless it sets them itself; `PATH` defaults to the agent's."),
  shim: z.string().optional().describe('Path of another shim than the one that comes with the package.'),
})

export type RuntimeProcessConfig = z.output<typeof runtimeProcessConfig>

export type ImageConfig = z.output<typeof image>
