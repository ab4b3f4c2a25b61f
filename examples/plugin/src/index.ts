import { definePlugin } from '@continuo/core'
import { SchedulerFilter, SchedulerScore } from '@continuo/workload'
import { z } from 'zod'

/**
 * A scheduling rule of our own: nodes labelled `quiet=true` take no pod labelled `loud=true`, and pods prefer nodes with
 * few neighbours. A tap runs once for each pod and adds synchronous functions that are called for each node.
 */
export const quietHours = definePlugin({
  name: 'quiet-hours',
  api: '^1',
  config: z.strictObject({ label: z.string().default('quiet').describe('Label of nodes that want to be left in peace.') }),
  setup(ctx) {
    const { label } = ctx.config
    ctx.tap(SchedulerFilter, (attempt) => {
      if (attempt.pod.metadata.labels?.loud !== 'true') return
      attempt.filter('quiet-hours', ({ node }) =>
        node.metadata.labels?.[label] === 'true' ? { reason: 'node(s) wanted to be left in peace' } : undefined,
      )
    })
    ctx.tap(SchedulerScore, (attempt) => attempt.score('quiet-hours', (node) => Math.max(0, 100 - node.pods.length)))
  },
})

export default quietHours
