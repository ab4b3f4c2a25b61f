import { z } from 'zod'

const positive = z.number().int().positive()

/** Configuration of the plugin `flow-control`. */
export const flowControlConfig = z.strictObject({
  seats: positive
    .default(600)
    .describe('Requests that may run at one time, shared out among the priority levels. A wide LIST takes several.'),
  waitSeconds: z.number().positive().default(15).describe('Longest time that a request stands in a queue; then it is 429.'),
  turnMs: z
    .number()
    .positive()
    .default(25)
    .describe('How long one turn of the event loop may take. When it takes longer, fewer requests run in one turn and more wait.'),
})

export type FlowControlConfig = z.infer<typeof flowControlConfig>
