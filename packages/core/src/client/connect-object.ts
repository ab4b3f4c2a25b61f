import { AdmissionMutate, AdmissionValidate } from '../admission/admission.ts'
import { AdmissionRun } from '../admission/admission-run.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import type { Caller } from './caller.ts'
import type { ConnectResult, ObjectRef } from './object-service.ts'
import { getObject } from './read-objects.ts'
import type { ServiceParts } from './service-parts.ts'
import { openTarget } from './target.ts'
import { openSession } from './write-session.ts'

/** Reads the object behind a stream and asks admission about the stream's options (operation CONNECT), before anything flows. Throws what they throw. */
export async function connectObject(
  parts: ServiceParts,
  ref: ObjectRef,
  options: UnstructuredObject,
  caller: Caller,
): Promise<ConnectResult> {
  const { subresource: _, ...parent } = ref
  const view = await getObject(parts, parent, {}, caller)
  if (parts.hooks.isIdle(AdmissionMutate) && parts.hooks.isIdle(AdmissionValidate)) return { view, options }
  const target = await openTarget(parts, 'get', ref, { ...caller, authorized: true })
  const session = openSession(parts, {}, caller)
  await parts.cache.caughtUp()
  const object = mutableCopy(options)
  const run = new AdmissionRun(parts, {
    operation: 'CONNECT',
    target,
    name: target.name,
    gvk: target.subresource?.kind ?? target.served.gvk,
    object,
    options: {},
    dryRun: false,
    caller,
    warn: session.warn,
  })
  await run.mutate()
  await run.validate()
  return { view, options: object }
}
