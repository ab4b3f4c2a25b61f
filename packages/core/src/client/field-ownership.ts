import { type ApplyConfigurationOptions, applyInVersions } from '../apply/apply-configuration.ts'
import type { SpokenFields } from '../apply/conflicts.ts'
import { emptyFields, type FieldSet } from '../apply/field-set.ts'
import type { InVersions, VersionAnswer, VersionQuestion } from '../apply/in-versions.ts'
import { updateInVersions } from '../apply/update-managed-fields.ts'
import { formatTime } from '../clock/clock.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { DeepReadonly, KubeObject, UnstructuredObject } from '../objects/object.ts'
import { hasStatusSubresource } from './object-parts.ts'
import { convertObjects } from './prepare-views.ts'
import type { Target } from './target.ts'
import type { WriteSession } from './write-session.ts'

const statusFields: FieldSet = { 'f:status': emptyFields }

/** What a write through this target cannot own: the status, when it has a subresource of its own. */
const ignoredBy = (target: Target): FieldSet | undefined =>
  target.subresource === undefined && hasStatusSubresource(target.served.version) ? statusFields : undefined

function ownership(session: WriteSession, target: Target): Omit<ApplyConfigurationOptions, 'live' | 'config' | 'force' | 'spoken'> {
  const ignored = ignoredBy(target)
  return {
    schema: target.served.schema,
    manager: session.manager,
    apiVersion: target.form.apiVersion,
    now: formatTime(session.parts.clock.now()),
    ...(target.subresource === undefined ? {} : { subresource: target.subresource.name }),
    ...(ignored === undefined ? {} : { ignored }),
  }
}

/** The objects as another version shows them. Undefined when it is not served. */
async function inVersion({ parts }: WriteSession, target: Target, question: VersionQuestion): Promise<VersionAnswer> {
  const { definition } = target.served
  const slash = question.apiVersion.indexOf('/')
  const served = parts.registry.resolve({
    group: question.apiVersion.slice(0, Math.max(slash, 0)),
    version: question.apiVersion.slice(slash + 1),
    resource: definition.plural,
  })
  if (served === undefined) return undefined
  const objects = question.objects.map((object) => mutableCopy(object) as UnstructuredObject)
  return { schema: served.schema, objects: await convertObjects(definition, objects, served.apiVersion) }
}

/** Runs to the end, converting where that is asked for: a promise only then. */
function settle<T>(computation: InVersions<T>, convert: (question: VersionQuestion) => Promise<VersionAnswer>): T | Promise<T> {
  const first = computation.next()
  if (first.done === true) return first.value
  const goOn = async (): Promise<T> => {
    let step: IteratorResult<VersionQuestion, T> = first
    while (step.done !== true) step = computation.next(await convert(step.value))
    return step.value
  }
  return goOn()
}

/**
 * Records in `next` that this write's manager owns what it changed. `next` is changed in place.
 * What cannot be converted now stays owned as it was: a write never fails because somebody else wrote in another version.
 */
export async function ownFields(
  session: WriteSession,
  target: Target,
  old: DeepReadonly<UnstructuredObject> | undefined,
  next: UnstructuredObject,
): Promise<void> {
  const computation = updateInVersions({ ...ownership(session, target), old: old as KubeObject | undefined, next })
  const managedFields = await settle(computation, async (question) => {
    try {
      return await inVersion(session, target, question)
    } catch (error) {
      session.parts.log.warn(
        {
          resource: target.served.definition.plural,
          apiVersion: question.apiVersion,
          error: error instanceof Error ? error.message : String(error),
        },
        'fields owned in another version stay as they are: the object could not be converted',
      )
      return 'unreadable'
    }
  })
  if (managedFields === undefined) delete next.metadata.managedFields
  else next.metadata.managedFields = managedFields
}

/**
 * Lays an applied configuration over the object. What it returns is private to the caller and has its managedFields.
 * Throws 409 for fields of others, told in the words that were `spoken`, and what a conversion throws when somebody owns fields in another version.
 */
export async function applyFields(
  session: WriteSession,
  target: Target,
  live: DeepReadonly<UnstructuredObject> | undefined,
  configuration: UnstructuredObject,
  force: boolean,
  spoken?: SpokenFields,
): Promise<UnstructuredObject> {
  const computation = applyInVersions({
    ...ownership(session, target),
    live: live as KubeObject | undefined,
    config: configuration,
    force,
    ...(spoken === undefined ? {} : { spoken }),
  })
  return mutableCopy(await settle(computation, (question) => inVersion(session, target, question))) as UnstructuredObject
}
