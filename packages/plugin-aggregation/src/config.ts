import { z } from 'zod'

/** Configuration of the plugin `aggregation`. */
export const aggregationConfig = z.strictObject({
  certificateDir: z
    .string()
    .min(1)
    .optional()
    .describe('Where authority and certificate of the front proxy are kept. Default: `pki/front-proxy` in the data directory of the host.'),
  checkSeconds: z.number().positive().default(30).describe('How often servers are asked whether they answer, and what they serve.'),
  timeoutSeconds: z.number().positive().default(5).describe('Time for such an answer.'),
})

export type AggregationConfig = z.infer<typeof aggregationConfig>
