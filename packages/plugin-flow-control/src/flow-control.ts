import { definePlugin } from '@continuo/core'
import { FlowControlCap, FlowSchema, PriorityLevelConfiguration } from '@continuo/workload'
import { flowControlConfig } from './config.ts'
import { FairFlowController, tickMs } from './fair-flow-controller.ts'
import { flowMetrics } from './flow-metrics.ts'
import { dangling } from './objects/dangling.ts'
import { maintainObjects } from './objects/maintain.ts'
import { mandatoryLevels, mandatorySchemas } from './objects/suggested.ts'

const maintainMs = 60_000
const group = 'flowcontrol.apiserver.k8s.io'

/** What is there, with what is mandatory in place of what somebody has just deleted. */
const withMandatory = <T extends { readonly metadata: { readonly name?: string } }>(
  found: readonly T[],
  mandatory: readonly T[],
): readonly T[] => [...found, ...mandatory.filter(({ metadata }) => !found.some((one) => one.metadata.name === metadata.name))]

/**
 * API priority and fairness: requests are classified by flow schemas, run on the seats of their priority level and wait in fair queues.
 * Makes and keeps the mandatory and suggested objects of Kubernetes.
 */
export const flowControl = definePlugin({
  name: 'flow-control',
  api: '^1',
  config: flowControlConfig,
  provides: [FlowControlCap],
  permissions: [
    { apiGroups: [group], resources: ['flowschemas', 'prioritylevelconfigurations'], verbs: ['get', 'list', 'watch', 'create', 'update'] },
    { apiGroups: [group], resources: ['flowschemas/status'], verbs: ['patch'] },
  ],
  setup(ctx) {
    const { seats, waitSeconds, turnMs } = ctx.config
    const schemas = ctx.informer(FlowSchema)
    const levels = ctx.informer(PriorityLevelConfiguration)
    const controller = new FairFlowController({
      clock: ctx.clock,
      metrics: flowMetrics(ctx.metrics),
      seats,
      waitMs: waitSeconds * 1000,
      turnMs,
    })
    const configure = (): void =>
      controller.configure(withMandatory(schemas.lister.list(), mandatorySchemas), withMandatory(levels.lister.list(), mandatoryLevels))
    configure()
    // At the start a dozen objects come at once, later one now and then: each is worth a new table.
    const changed = { added: configure, updated: configure, deleted: configure }
    schemas.on(changed)
    levels.on(changed)
    ctx.provide(FlowControlCap, controller)
    ctx.controller(dangling(schemas, levels, ctx.clock))
    ctx.onStart('informers', () => maintainObjects(ctx.client))
    ctx.every(tickMs, () => controller.tick())
    ctx.every(maintainMs, async () => {
      await maintainObjects(ctx.client).catch((error: unknown) =>
        ctx.log.warn({ error }, 'flow schemas and priority levels could not be looked after'),
      )
    })
  },
})
