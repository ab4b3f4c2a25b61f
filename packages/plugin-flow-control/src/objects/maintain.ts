import { type DeepReadonly, hasReason, jsonEqual, type KubeObject, type ObjectClient, type ResourceClient } from '@continuo/core'
import { FlowSchema, PriorityLevelConfiguration } from '@continuo/workload'
import { autoupdate, mandatoryLevels, mandatorySchemas, suggestedFlowSchemas, suggestedPriorityLevels } from './suggested.ts'

type Configured = FlowSchema | PriorityLevelConfiguration

const attempts = 5
const exempt = 'exempt'

/** False when an administrator has taken the spec into their own hands: by the annotation, or, without it, by a change. */
const isOurs = ({ metadata }: DeepReadonly<KubeObject>): boolean => {
  const said = metadata.annotations?.[autoupdate]
  return said === undefined ? metadata.generation === 1 : said === 'true'
}

/**
 * The object as this release wants it; undefined when it is so already, or in the hands of an administrator. A mandatory object is always ours,
 * but for the shares of the exempt level. Pure.
 */
export function mended<T extends Configured>(found: DeepReadonly<T>, wanted: T, mandatory: boolean): T | undefined {
  const ours = mandatory || isOurs(found)
  const annotation = String(ours)
  const keepsOwn = mandatory && found.kind === 'PriorityLevelConfiguration' && found.metadata.name === exempt && !isOurs(found)
  const spec = ours && !keepsOwn ? covering(found.spec, wanted.spec) : found.spec
  const told = mandatory ? (keepsOwn ? found.metadata.annotations?.[autoupdate] : 'true') : annotation
  if (jsonEqual(spec, found.spec) && found.metadata.annotations?.[autoupdate] === told) return undefined
  return {
    ...found,
    metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...(told === undefined ? {} : { [autoupdate]: told }) } },
    spec,
  } as T
}

/** What was found, where it says all that is wanted and nothing but defaults besides; else what is wanted. */
const covering = (found: unknown, wanted: unknown): unknown => (jsonEqual(found, wanted) ? found : wanted)

async function ensure<T extends Configured>(client: ResourceClient<T>, wanted: T, mandatory: boolean): Promise<void> {
  const at = { namespace: '', name: wanted.metadata.name as string }
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await client.get(at).catch((error: unknown) => {
        if (hasReason(error, 'NotFound')) return undefined
        throw error
      })
      if (found === undefined) return void (await client.create(structuredClone(wanted)))
      const next = mended(found as DeepReadonly<T>, wanted, mandatory)
      return next === undefined ? undefined : void (await client.update(next))
    } catch (error) {
      // Another replica, or an administrator, was quicker: look again.
      if (attempt === attempts || !hasReason(error, 'AlreadyExists', 'Conflict', 'NotFound')) throw error
    }
  }
}

/** Makes and mends mandatory and suggested objects. Several replicas may do so at once. Throws `ApiError`. */
export async function maintainObjects(client: ObjectClient): Promise<void> {
  const levels = client.for(PriorityLevelConfiguration)
  const schemas = client.for(FlowSchema)
  await Promise.all([
    ...mandatoryLevels.map((wanted) => ensure(levels, wanted, true)),
    ...suggestedPriorityLevels.map((wanted) => ensure(levels, wanted, false)),
  ])
  await Promise.all([
    ...mandatorySchemas.map((wanted) => ensure(schemas, wanted, true)),
    ...suggestedFlowSchemas.map((wanted) => ensure(schemas, wanted, false)),
  ])
}
