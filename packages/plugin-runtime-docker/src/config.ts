import { z } from 'zod'

/** Configuration of the Docker runtime. */
export const runtimeDockerConfig = z.strictObject({
  socket: z.string().default('/var/run/docker.sock').describe('Socket of dockerd.'),
  owner: z
    .string()
    .optional()
    .describe(
      "Whose containers these are: everything of another owner is left alone. Default: the cluster's name and the path of its data directory.",
    ),
  network: z
    .string()
    .default('bridge')
    .describe("Docker's network for sandboxes, when no plugin provides `pod-network/v1`: that one gives them their addresses otherwise."),
  cgroupParent: z.string().default('continuo').describe('Control group below which each pod has one of its own.'),
  seccompProfiles: z.string().default('/var/lib/kubelet/seccomp').describe('Directory of seccomp profiles of the type `Localhost`.'),
  pullStallSeconds: z.number().positive().default(60).describe('A pull without progress for so long is given up.'),
  imageDisk: z
    .strictObject({
      highPercent: z.number().min(1).max(100).default(85).describe('Above it, images that nobody uses are removed; 100: never.'),
      lowPercent: z.number().min(0).max(99).default(80).describe('Until the disk is no fuller than this.'),
      minAgeSeconds: z.number().min(0).default(120).describe('An image is kept for so long after it was last seen in use.'),
      everySeconds: z.number().positive().default(300).describe('How often the disk is looked at.'),
    })
    .prefault({})
    .describe('When images are removed from a full disk: those that came from a registry and that no container has, whoever pulled them.'),
})

export type RuntimeDockerConfig = z.output<typeof runtimeDockerConfig>
