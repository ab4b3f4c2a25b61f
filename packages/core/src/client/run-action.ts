import { AdmissionRun } from '../admission/admission-run.ts'
import { ApiError } from '../errors/api-error.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import { validate } from '../schema/validate.ts'
import { invalid } from './api-errors.ts'
import { decodeBody, shapeOf } from './decode-body.ts'
import type { WriteResult } from './object-service.ts'
import { PlainView } from './plain-view.ts'
import type { Target } from './target.ts'
import type { WriteSession } from './write-session.ts'

/** Hands the body of an action or of a virtual resource to its doer, after admission. Throws 503 when nothing provides it, without a time after which to try again: clients would. */
export async function runAction(session: WriteSession, target: Target, body: UnstructuredObject): Promise<WriteResult> {
  const { parts, caller, options } = session
  const { definition, gvr } = target.served
  const key = `${definition.group}/${definition.plural}/${target.subresource?.name ?? ''}`
  const action = parts.actions.get(key)
  if (action === undefined) throw new ApiError('ServiceUnavailable', `nothing in this cluster answers ${key}`)
  const shape = shapeOf(target)
  const object = decodeBody(shape, mutableCopy(body), options, session.warn)
  await parts.cache.caughtUp()
  const run = new AdmissionRun(parts, {
    operation: 'CREATE',
    target,
    name: target.name,
    gvk: shape.gvk,
    object,
    options: { ...options },
    dryRun: session.dryRun,
    caller,
    warn: session.warn,
  })
  await run.mutate()
  // Doers rely on the types that the schema promises; what must be there is for each of them to say.
  const errors = shape.schema === undefined ? [] : validate(shape.schema, object, '').filter(({ type }) => type === 'FieldValueTypeInvalid')
  if (errors.length > 0) throw invalid(shape.gvk, object.metadata.name ?? '', errors)
  await run.validate()
  const ref = {
    ...gvr,
    namespace: target.namespace,
    name: target.name,
    ...(target.subresource === undefined ? {} : { subresource: target.subresource.name }),
  }
  const answer = await action.run({ ref, body: object, options, caller })
  return { view: new PlainView(answer), created: true, deleted: false }
}
