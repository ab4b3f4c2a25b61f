import { z } from 'zod'

const scores = z
  .record(z.string(), z.number().min(0))
  .describe(
    'Weight of each scoring rule: leastAllocated, balanced, spread, taints, nodeAffinity, podAffinity, and those that other plugins add. 0 turns a rule off.',
  )

/** Configuration of the scheduler. */
export const schedulerConfig = z
  .strictObject({
    schedulerName: z
      .string()
      .min(1)
      .default('default-scheduler')
      .describe('Pods whose spec.schedulerName is this are scheduled with the scores below.'),
    scores: scores.default({}),
    profiles: z
      .record(z.string(), z.strictObject({ scores: scores.default({}) }))
      .default({})
      .describe('Further scheduler names, each with its own scores.'),
    percentageOfNodesToScore: z
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe('Stop looking when this share of the nodes fits. 0 adapts to the size of the cluster.'),
    parallelBinds: z.int().min(1).max(1000).default(100).describe('Bindings under way at the same time.'),
  })
  .prefault({})

export type SchedulerConfig = z.infer<typeof schedulerConfig>

/** The weights for pods with this scheduler name; undefined when they are somebody else's. */
export function weightsFor(config: SchedulerConfig, schedulerName: string | undefined): Readonly<Record<string, number>> | undefined {
  const name = schedulerName ?? 'default-scheduler'
  if (Object.hasOwn(config.profiles, name)) return config.profiles[name]?.scores
  return name === config.schedulerName ? config.scores : undefined
}
