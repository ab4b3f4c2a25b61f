import type { AdmissionRequest } from '../admission/admission.ts'
import { AdmissionRun } from '../admission/admission-run.ts'
import { ApiError } from '../errors/api-error.ts'
import { fieldError } from '../errors/field-error.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import type { GroupVersionKind } from '../objects/names.ts'
import type { DeepReadonly, ObjectMeta, UnstructuredObject } from '../objects/object.ts'
import { applyDefaults } from '../schema/apply-defaults.ts'
import { conflict, invalid, notFound, staleObject } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { commitWrite, sealObject } from './commit-write.ts'
import { committed } from './committed.ts'
import { createDecoded } from './create-decoded.ts'
import { checkIdentity, decodeBody, shapeOf } from './decode-body.ts'
import { explainFault } from './explain-fault.ts'
import { ownFields } from './field-ownership.ts'
import { hasStatusSubresource, isUnchanged, raisesGeneration } from './object-parts.ts'
import type { ObjectRef, WriteResult } from './object-service.ts'
import type { WriteOptions } from './options.ts'
import { PlainView } from './plain-view.ts'
import { readCurrent, subresourceView } from './read-objects.ts'
import type { ServiceParts } from './service-parts.ts'
import { StoredView } from './stored-view.ts'
import { authorizeCreation, openTarget, type Target } from './target.ts'
import { validateObject } from './validate-object.ts'
import { openSession, type WriteSession } from './write-session.ts'

/** How a request makes the new object from the current one. Runs again when the object changed meanwhile. */
export interface UpdatePlan {
  readonly operation: AdmissionRequest['operation']
  /** Kind of the body, for admission. */
  readonly gvk: GroupVersionKind
  /** A private object in the version of the request. */
  next(old: StoredView): UnstructuredObject | Promise<UnstructuredObject>
  /** `next` has settled managedFields already: an apply. */
  readonly ownsFields?: boolean
  /** Of a subresource with a kind of its own. */
  readonly body?: UnstructuredObject
}

export async function updateObject(
  parts: ServiceParts,
  ref: ObjectRef,
  body: UnstructuredObject,
  options: WriteOptions,
  caller: Caller,
): Promise<WriteResult> {
  const target = await openTarget(parts, 'update', ref, caller)
  const session = openSession(parts, options, caller)
  if (target.subresource !== undefined) return updateThroughSubresource(session, target, body, 'UPDATE')
  const object = decodeBody(shapeOf(target), mutableCopy(body), options, session.warn)
  checkIdentity(target, object)
  await parts.cache.caughtUp()
  const { strategy } = target.served.definition
  if (strategy?.allowCreateOnUpdate === true && !object.metadata.resourceVersion && parts.cache.get(target.key) === undefined) {
    await authorizeCreation(parts, target, caller)
    return createDecoded(session, target, object)
  }
  if (strategy?.allowUnconditionalUpdate === false && !object.metadata.resourceVersion) {
    throw invalid(target.served.gvk, target.name, [fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update')])
  }
  return runUpdate(session, target, { operation: 'UPDATE', gvk: target.served.gvk, next: () => mutableCopy(object) })
}

/** Writes the part of an object that a subresource stands for. */
export async function updateThroughSubresource(
  session: WriteSession,
  target: Target,
  body: UnstructuredObject,
  operation: 'CREATE' | 'UPDATE',
): Promise<WriteResult> {
  const { subresource } = target
  if (subresource?.type !== 'object')
    throw new ApiError('MethodNotAllowed', `subresource ${subresource?.name} is not written like an object`)
  const shape = shapeOf(target)
  const object = decodeBody(shape, mutableCopy(body), session.options, session.warn)
  checkIdentity(target, object)
  await session.parts.cache.caughtUp()
  return runUpdate(session, target, {
    operation,
    gvk: shape.gvk,
    body: object,
    next: (old) => throughSubresource(target, old, mutableCopy(object)),
  })
}

/** The parent after a write of its subresource. The version that the body names is the version that the parent must be at. */
export function throughSubresource(target: Target, old: StoredView, body: UnstructuredObject): UnstructuredObject {
  const { resourceVersion, uid } = body.metadata
  const parent = writeThrough(target, old.copy(), body)
  parent.metadata = { ...parent.metadata, resourceVersion: resourceVersion ?? '', ...(uid ? { uid } : {}) }
  return parent
}

/** Puts what a subresource's body says into a parent, which may be changed in place. */
export function writeThrough(target: Target, parent: UnstructuredObject, body: UnstructuredObject): UnstructuredObject {
  if (target.subresource?.type !== 'object')
    throw new ApiError('MethodNotAllowed', `subresource ${target.subresource?.name} is not written like an object`)
  try {
    return target.subresource.write(parent, body)
  } catch (error) {
    const { gvk, schema } = shapeOf(target)
    throw explainFault(error, gvk, schema, body)
  }
}

/** Runs an update to its end: reads, plans, admits, commits, and begins anew when something changed in between. The cache must be caught up. */
export async function runUpdate(session: WriteSession, target: Target, plan: UpdatePlan): Promise<WriteResult> {
  const { parts } = session
  const attempt = async (inTurn: boolean): Promise<Attempt> => {
    const old = await readCurrent(parts, target)
    if (old === undefined) throw notFound(target.served.gvr, target.name)
    return attemptUpdate(session, target, plan, old, inTurn)
  }
  const first = await attempt(false)
  return 'result' in first ? first.result : again(session, target, first, attempt)
}

/** An attempt that was overtaken: by a write of this key, at this revision. */
export interface Overtaken {
  readonly revision: number
  readonly key: string
}

export type Attempt = { readonly result: WriteResult } | Overtaken

/** Repeats an attempt that was overtaken, in turns with others that were. Throws 409 when it never gets through. */
export function again(
  session: WriteSession,
  target: Target,
  first: Overtaken,
  attempt: (inTurn: boolean) => Promise<Attempt>,
): Promise<WriteResult> {
  const { parts } = session
  return parts.turns.run(first.key, async () => {
    let { revision } = first
    for (let count = 1; count < parts.limits.maxAttempts; count++) {
      await parts.cache.reached(revision)
      const outcome = await attempt(true)
      if ('result' in outcome) return outcome.result
      revision = outcome.revision
    }
    throw staleObject(target.served.gvr, target.name)
  })
}

async function attemptUpdate(session: WriteSession, target: Target, plan: UpdatePlan, old: StoredView, inTurn: boolean): Promise<Attempt> {
  const { parts, caller, dryRun } = session
  const { served, subresource } = target
  const { strategy } = served.definition
  const before = old.object
  const next = await plan.next(old)
  checkVersion(target, next, before)
  restoreSystemFields(next, before)
  const run = new AdmissionRun(parts, {
    operation: plan.operation,
    target,
    name: target.name,
    gvk: plan.gvk,
    object: next,
    oldObject: before,
    options: { ...session.options },
    dryRun,
    caller,
    warn: session.warn,
    ...(plan.body === undefined ? {} : { body: plan.body }),
  })
  try {
    await run.mutate()
    if (run.mutable) {
      applyDefaults(served.schema, next)
      restoreSystemFields(next, before)
    }
    if (subresource === undefined) {
      if (hasStatusSubresource(served.version)) restoreStatus(next, before)
      strategy?.prepareForUpdate?.(next, before)
    }
    if (raisesGeneration(served, next, before)) next.metadata.generation = (before.metadata.generation ?? 0) + 1
  } catch (error) {
    throw explainFault(error, served.gvk, served.schema, next)
  }
  validateObject(served, next, before, subresource?.name)
  for (const text of strategy?.warnings?.(next, before) ?? []) session.warn(text)
  await run.validate()
  if (plan.ownsFields !== true) await ownFields(session, target, before, next)
  const goes = isReleased(target, next)
  if (!goes && run.companions.length === 0 && !old.isSealedOtherwise && isUnchanged(next, before))
    return { result: resultOf(target, old, false) }
  const value = goes ? undefined : await sealObject(parts, served, next, target.key)
  if (dryRun) return { result: resultOf(target, new PlainView(next), goes) }
  const outcome = await commitWrite(parts, caller, run, { key: target.key, expected: old.source.modRevision, value, inTurn })
  if (outcome.type !== 'committed') return outcome
  await committed(parts, run, outcome.revision)
  next.metadata.resourceVersion = parts.views.scale.format(outcome.revision)
  if (value === undefined) return { result: resultOf(target, new PlainView(next), true) }
  const view = new StoredView(parts.views, target.form, { key: target.key, value, modRevision: outcome.revision })
  view.adopt(next)
  return { result: resultOf(target, view, false) }
}

const resultOf = (target: Target, parent: StoredView | PlainView, deleted: boolean): WriteResult => ({
  view: subresourceView(target, parent),
  created: false,
  deleted,
})

/** The request's version and uid, where it names them, must be those of the object. Throws 409. */
function checkVersion(target: Target, next: DeepReadonly<UnstructuredObject>, old: DeepReadonly<UnstructuredObject>): void {
  const { uid, resourceVersion } = next.metadata
  if (uid && uid !== old.metadata.uid) {
    throw conflict(
      target.served.gvr,
      target.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    )
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== old.metadata.resourceVersion)
    throw staleObject(target.served.gvr, target.name)
}

/** Metadata that only the system writes is what it was. */
function restoreSystemFields(next: UnstructuredObject, old: DeepReadonly<UnstructuredObject>): void {
  const meta = next.metadata as unknown as Record<string, unknown>
  for (const field of [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
    'generateName',
  ] satisfies (keyof ObjectMeta)[]) {
    const value = old.metadata[field]
    if (value === undefined) delete meta[field]
    else meta[field] = value
  }
  delete meta.selfLink
}

function restoreStatus(next: UnstructuredObject, old: DeepReadonly<UnstructuredObject>): void {
  if (old.status === undefined) delete next.status
  else next.status = mutableCopy(old.status)
}

/** True for an object whose deletion was waiting and that nothing holds any longer. */
function isReleased(target: Target, next: DeepReadonly<UnstructuredObject>): boolean {
  const { metadata } = next
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    target.served.definition.strategy?.holdsDeletion?.(next) !== true
  )
}
