import { z } from 'zod'

/** Configuration of the OCI runtime. */
export const runtimeOciConfig = z
  .strictObject({
    directory: z
      .string()
      .optional()
      .describe(
        'Images, state, logs and root file systems. A restarted agent finds its containers here. Default: `runtime-oci` in the data directory.',
      ),
    program: z.string().default('crun').describe('The OCI runtime: `crun`, or `runc`.'),
    images: z
      .array(z.string())
      .default([])
      .describe(
        'Where images come from: OCI layouts, Docker archives (`docker save`), and directories that hold such. Looked through again when an image is missing.',
      ),
    hostAddress: z.string().default('127.0.0.1').describe("Address of sandboxes on the host's network."),
    cgroup: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .default('continuo')
      .describe('Control group below which each container gets one of its own. Two nodes on one machine never share one.'),
    pids: z.int().min(0).default(0).describe('Most processes of a container. 0: no limit.'),
  })
  .prefault({})

export type RuntimeOciConfig = z.output<typeof runtimeOciConfig>
