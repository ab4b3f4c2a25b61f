import { AdmissionRun } from '../admission/admission-run.ts'
import { ApiError, hasReason } from '../errors/api-error.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import { conflict, notFound } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { commitWrite, sealObject } from './commit-write.ts'
import { committed } from './committed.ts'
import { decideDeletion } from './deletion.ts'
import { listObjects } from './list-objects.ts'
import type { ObjectRef, ObjectViewList, WriteResult } from './object-service.ts'
import type { DeleteOptions, ListOptions } from './options.ts'
import { PlainView } from './plain-view.ts'
import { readCurrent } from './read-objects.ts'
import type { ServiceParts } from './service-parts.ts'
import { StoredView } from './stored-view.ts'
import { openTarget, type Target } from './target.ts'
import { type Attempt, again } from './update-object.ts'
import { openSession, type WriteSession } from './write-session.ts'

/** Deletions of a collection that run at the same time. */
const collectionConcurrency = 8

export async function deleteObject(parts: ServiceParts, ref: ObjectRef, options: DeleteOptions, caller: Caller): Promise<WriteResult> {
  const target = await openTarget(parts, 'delete', ref, caller)
  if (target.subresource !== undefined) throw new ApiError('MethodNotAllowed', `subresource ${target.subresource.name} cannot be deleted`)
  checkDeleteOptions(options)
  const session = openSession(parts, { dryRun: options.dryRun === true }, caller)
  await parts.cache.caughtUp()
  return runDeletion(session, target, options)
}

async function runDeletion(session: WriteSession, target: Target, options: DeleteOptions): Promise<WriteResult> {
  const { parts } = session
  const attempt = async (inTurn: boolean): Promise<Attempt> => {
    const old = await readCurrent(parts, target)
    if (old === undefined) throw notFound(target.served.gvr, target.name)
    checkPreconditions(target, old.object, options)
    return attemptDeletion(session, target, options, old, inTurn)
  }
  const first = await attempt(false)
  return 'result' in first ? first.result : again(session, target, first, attempt)
}

async function attemptDeletion(
  session: WriteSession,
  target: Target,
  options: DeleteOptions,
  old: StoredView,
  inTurn: boolean,
): Promise<Attempt> {
  const { parts, caller, dryRun } = session
  const { served } = target
  const run = new AdmissionRun(parts, {
    operation: 'DELETE',
    target,
    name: target.name,
    gvk: served.gvk,
    oldObject: old.object,
    options: { ...options },
    dryRun,
    caller,
    warn: session.warn,
  })
  await run.mutate()
  await run.validate()
  const verdict = decideDeletion(old.object, served.definition.strategy, options, parts.clock.now())
  if (verdict.type === 'pending') return { result: { view: old, created: false, deleted: false } }
  const next = verdict.type === 'mark' ? verdict.next : undefined
  if (dryRun) return { result: { view: next === undefined ? old : new PlainView(next), created: false, deleted: next === undefined } }
  const value = next === undefined ? undefined : await sealObject(parts, served, next, target.key)
  const outcome = await commitWrite(parts, caller, run, { key: target.key, expected: old.source.modRevision, value, inTurn })
  if (outcome.type !== 'committed') return outcome
  await committed(parts, run, outcome.revision)
  if (value === undefined) return { result: { view: old, created: false, deleted: true } }
  const view = new StoredView(parts.views, target.form, { key: target.key, value, modRevision: outcome.revision })
  return { result: { view, created: false, deleted: false } }
}

function checkPreconditions(target: Target, { metadata }: DeepReadonly<UnstructuredObject>, { preconditions }: DeleteOptions): void {
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid) {
    throw conflict(
      target.served.gvr,
      target.name,
      `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${metadata.uid}`,
    )
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      target.served.gvr,
      target.name,
      `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    )
  }
}

function checkDeleteOptions({ gracePeriodSeconds, propagationPolicy }: DeleteOptions): void {
  if (gracePeriodSeconds !== undefined && !Number.isSafeInteger(gracePeriodSeconds)) {
    throw new ApiError(
      'BadRequest',
      `gracePeriodSeconds: Invalid value: ${JSON.stringify(gracePeriodSeconds)}: must be a whole number of seconds`,
    )
  }
  if (propagationPolicy !== undefined && !['Orphan', 'Background', 'Foreground'].includes(propagationPolicy)) {
    throw new ApiError(
      'Invalid',
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      { group: 'meta.k8s.io', kind: 'DeleteOptions' },
    )
  }
}

/** Deletes each object that the list chooses, by itself. One that is gone meanwhile, or was replaced by another of its name, is passed over. */
export async function deleteCollection(
  parts: ServiceParts,
  collection: Omit<ObjectRef, 'name'>,
  list: ListOptions,
  options: DeleteOptions,
  caller: Caller,
): Promise<ObjectViewList> {
  await openTarget(parts, 'deletecollection', collection, caller)
  const chosen = await listObjects(parts, collection, list, { ...caller, trusted: true })
  const queue = [...chosen.items]
  const work = async (): Promise<void> => {
    for (let view = queue.shift(); view !== undefined; view = queue.shift()) {
      const preconditions = { uid: view.uid, ...options.preconditions }
      const ref: ObjectRef = { ...collection, namespace: view.namespace, name: view.name }
      await deleteObject(parts, ref, { ...options, preconditions }, { ...caller, trusted: true }).catch((error) => {
        if (!hasReason(error, 'NotFound') && !(hasReason(error, 'Conflict') && error.message.includes('Precondition failed: UID')))
          throw error
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(collectionConcurrency, queue.length) }, work))
  return chosen
}
