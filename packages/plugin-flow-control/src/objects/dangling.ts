import { type Clock, type ControllerSpec, type DeepReadonly, formatTime, hasReason, type Informer, watches } from '@continuo/core'
import { FlowSchema, PriorityLevelConfiguration } from '@continuo/workload'

type Condition = NonNullable<NonNullable<FlowSchema['status']>['conditions']>[number]

/** The condition that tells whether the level of a schema exists; undefined when it stands there already. Pure. */
export function danglingCondition(schema: DeepReadonly<FlowSchema>, levelExists: boolean, now: number): Condition | undefined {
  const level = schema.spec?.priorityLevelConfiguration.name ?? ''
  const what = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  const [status, reason, message] = levelExists
    ? ['False', 'Found', `${what} and it exists`]
    : ['True', 'NotFound', `${what} but there is no such object`]
  const found = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
  if (found?.status === status && found.reason === reason && found.message === message) return undefined
  const since = found?.status === status ? found.lastTransitionTime : undefined
  return { type: 'Dangling', status, reason, message, lastTransitionTime: since ?? formatTime(now) }
}

/** Keeps the condition `Dangling` of every flow schema true to what is there. */
export const dangling = (
  schemas: Informer<FlowSchema>,
  levels: Informer<PriorityLevelConfiguration>,
  clock: Clock,
): ControllerSpec<FlowSchema> => ({
  name: 'flow-schema-dangling',
  for: FlowSchema,
  watches: [
    watches(PriorityLevelConfiguration, ({ metadata }) =>
      schemas.lister
        .list()
        .filter(({ spec }) => spec?.priorityLevelConfiguration.name === metadata.name)
        .map((schema) => ({ namespace: '', name: schema.metadata.name ?? '' })),
    ),
  ],
  async reconcile(key, { client }) {
    const schema = schemas.lister.get(key)
    if (schema === undefined) return
    const exists = levels.lister.get({ namespace: '', name: schema.spec?.priorityLevelConfiguration.name ?? '' }) !== undefined
    const condition = danglingCondition(schema, exists, clock.now())
    if (condition === undefined) return
    const others = (schema.status?.conditions ?? []).filter(({ type }) => type !== 'Dangling')
    try {
      await client
        .for(FlowSchema)
        .subresource('status')
        .patch(key, { type: 'merge', body: { status: { conditions: [...others, condition] } } })
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  },
})
