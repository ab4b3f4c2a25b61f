import { ApiError } from '../errors/api-error.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import type { Caller } from './caller.ts'
import { createDecoded } from './create-decoded.ts'
import { checkIdentity, decodeBody, shapeOf } from './decode-body.ts'
import type { ObjectRef, WriteResult } from './object-service.ts'
import type { WriteOptions } from './options.ts'
import { runAction } from './run-action.ts'
import type { ServiceParts } from './service-parts.ts'
import { openTarget } from './target.ts'
import { updateThroughSubresource } from './update-object.ts'
import { openSession } from './write-session.ts'

export async function createObject(
  parts: ServiceParts,
  ref: ObjectRef,
  body: UnstructuredObject,
  options: WriteOptions,
  caller: Caller,
): Promise<WriteResult> {
  const target = await openTarget(parts, 'create', ref, caller)
  const session = openSession(parts, options, caller)
  if (target.served.definition.virtual || target.subresource?.type === 'action') return runAction(session, target, body)
  if (target.subresource !== undefined) return updateThroughSubresource(session, target, body, 'CREATE')
  const object = decodeBody(shapeOf(target), mutableCopy(body), options, session.warn)
  checkIdentity(target, object)
  if (object.metadata.resourceVersion) throw new ApiError('BadRequest', 'resourceVersion should not be set on objects to be created')
  await parts.cache.caughtUp()
  return createDecoded(session, target, object)
}
