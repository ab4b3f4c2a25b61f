import { z } from 'zod'

const image = z.strictObject({
  /** Directory that holds the image's files; the default working directory. */
  root: z.string().optional(),
  /** Entry point, used when the container names no command. */
  command: z.array(z.string()).default([]),
  /** Arguments of the entry point, used when the container names neither command nor arguments. */
  args: z.array(z.string()).default([]),
  env: z.record(z.string(), z.string()).default({}),
  workingDir: z.string().optional(),
  stopSignal: z.string().optional(),
})

/** Configuration of the process runtime. */
export const runtimeProcessConfig = z.strictObject({
  /** Where state, logs and working directories live. A restarted agent finds its containers here. Default: `runtime` in the data directory. */
  directory: z.string().optional(),
  /** Range of loopback addresses that sandboxes get. */
  addresses: z.string().default('127.64.0.0/12'),
  /** The address of sandboxes on the host's network. */
  hostAddress: z.string().default('127.0.0.1'),
  /** Images by name. A name without a tag means `:latest`, `name:*` any tag. */
  images: z.record(z.string(), image).default({}),
  /** `auto`: volumes are mounted at their true paths where the system allows a mount namespace. `off`: never. */
  namespaces: z.enum(['auto', 'off']).default('auto'),
  /** Variables that every container gets unless it sets them itself; PATH defaults to the agent's. */
  env: z.record(z.string(), z.string()).default({}),
  /** The shim to use instead of the one that comes with the package. */
  shim: z.string().optional(),
})

export type RuntimeProcessConfig = z.output<typeof runtimeProcessConfig>

export type ImageConfig = z.output<typeof image>
