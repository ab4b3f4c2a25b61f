import { appliedFields } from '../apply/extract-fields.ts'
import { ApiError, hasReason } from '../errors/api-error.ts'
import { mutableCopy } from '../objects/mutable-copy.ts'
import { formatApiVersion } from '../objects/names.ts'
import type { UnstructuredObject } from '../objects/object.ts'
import { applyPatch } from '../patch/apply-patch.ts'
import { applyDefaults } from '../schema/apply-defaults.ts'
import { isRecord } from '../schema/json-value.ts'
import type { Caller } from './caller.ts'
import { createDecoded } from './create-decoded.ts'
import { checkIdentity, decodeBody, shapeOf, shown } from './decode-body.ts'
import { applyFields } from './field-ownership.ts'
import type { ObjectRef, WriteResult } from './object-service.ts'
import type { Patch, WriteOptions } from './options.ts'
import { subresourceView } from './read-objects.ts'
import type { ServiceParts } from './service-parts.ts'
import type { StoredView } from './stored-view.ts'
import { authorizeCreation, openTarget, type Target } from './target.ts'
import { runUpdate, throughSubresource, writeThrough } from './update-object.ts'
import { openSession, type WriteSession } from './write-session.ts'

export async function patchObject(
  parts: ServiceParts,
  ref: ObjectRef,
  patch: Patch,
  options: WriteOptions,
  caller: Caller,
): Promise<WriteResult> {
  const target = await openTarget(parts, 'patch', ref, caller)
  const session = openSession(parts, options, caller)
  if (target.subresource !== undefined && target.subresource.type !== 'object') {
    throw new ApiError('MethodNotAllowed', `subresource ${target.subresource.name} cannot be patched`)
  }
  await parts.cache.caughtUp()
  if (patch.type === 'apply') return applyObject(session, target, patch.body, patch.force === true)
  const { gvk, schema } = shapeOf(target)
  return runUpdate(session, target, {
    operation: 'UPDATE',
    gvk,
    next: (old) => {
      const current = target.subresource === undefined ? old.object : subresourceView(target, old).object
      const patched = applyPatch(patch.type, target.served.definition.custom === true ? undefined : schema, current, patch.body)
      return intoParent(session, target, old, mutableCopy(patched) as UnstructuredObject)
    },
  })
}

/** Decodes a patched body and puts it where it belongs. */
function intoParent(session: WriteSession, target: Target, old: StoredView, patched: UnstructuredObject): UnstructuredObject {
  const decoded = decodeBody(shapeOf(target), patched, session.options, session.warn)
  checkIdentity(target, decoded)
  return target.subresource === undefined ? decoded : throughSubresource(target, old, decoded)
}

/** Server-side apply (KEP-555). */
async function applyObject(session: WriteSession, target: Target, configuration: UnstructuredObject, force: boolean): Promise<WriteResult> {
  const { parts, options } = session
  if (!options.fieldManager) {
    throw new ApiError('Invalid', 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch', {
      group: 'meta.k8s.io',
      kind: 'PatchOptions',
      causes: [{ reason: 'FieldValueRequired', message: 'Required value: is required for apply patch', field: 'fieldManager' }],
    })
  }
  if (!isRecord(configuration) || !configuration.apiVersion || !configuration.kind) {
    throw new ApiError('BadRequest', 'an apply patch must be an object with apiVersion and kind')
  }
  const body = mutableCopy(configuration)
  if (isRecord(body.metadata) && Array.isArray(body.metadata.managedFields) && body.metadata.managedFields.length > 0)
    throw new ApiError('BadRequest', 'metadata.managedFields must be nil')
  if (target.subresource === undefined && parts.cache.get(target.key) === undefined) return applyNew(session, target, body, force)
  const shape = shapeOf(target)
  // A body of another kind, such as Scale, names fields of the parent in its own words.
  const ofParent = shape.schema === target.served.schema
  return runUpdate(session, target, {
    operation: 'UPDATE',
    gvk: shape.gvk,
    ownsFields: true,
    next: async (old) => {
      if (!ofParent) return applyThrough(session, target, old, body, force)
      const applied = await applyFields(session, target, old.object, body, force)
      const next = intoParent(session, target, old, applied)
      if (applied.metadata.managedFields === undefined) delete next.metadata.managedFields
      else next.metadata.managedFields = applied.metadata.managedFields
      return next
    },
  })
}

/** Applies what a body of another kind says about the parent: exactly that is owned, under the name of the subresource. */
async function applyThrough(
  session: WriteSession,
  target: Target,
  old: StoredView,
  body: UnstructuredObject,
  force: boolean,
): Promise<UnstructuredObject> {
  const decoded = decodeBody(shapeOf(target), mutableCopy(body), session.options, session.warn)
  checkIdentity(target, decoded)
  const { namespace, name } = old.object.metadata
  const { apiVersion, kind } = old.object
  const bare: UnstructuredObject = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }
  const saysNothing = !isRecord(body.spec) || Object.keys(body.spec).length === 0
  const configuration = saysNothing ? bare : writeThrough(target, bare, decoded)
  const shape = shapeOf(target)
  const spoken = { apiVersion: formatApiVersion(shape.gvk), fields: appliedFields(shape.schema, { spec: body.spec }) }
  const applied = await applyFields(session, target, old.object, configuration, force, spoken)
  // What nobody owns any longer may have a default.
  applyDefaults(target.served.schema, applied)
  const { resourceVersion, uid } = decoded.metadata
  applied.metadata = { ...applied.metadata, resourceVersion: resourceVersion ?? '', ...(uid ? { uid } : {}) }
  return applied
}

async function applyNew(session: WriteSession, target: Target, body: UnstructuredObject, force: boolean): Promise<WriteResult> {
  await authorizeCreation(session.parts, target, session.caller)
  if (isRecord(body.metadata) && body.metadata.uid) {
    throw new ApiError(
      'Conflict',
      `uid mismatch: the provided object specified uid ${shown(body.metadata.uid)}, and no existing object was found`,
    )
  }
  const applied = await applyFields(session, target, undefined, body, force)
  const decoded = decodeBody(shapeOf(target), applied, session.options, session.warn)
  checkIdentity(target, decoded)
  delete decoded.metadata.resourceVersion
  try {
    return await createDecoded(session, target, decoded, true)
  } catch (error) {
    // Somebody else created it in between: then this is an update.
    if (!hasReason(error, 'AlreadyExists') || session.dryRun) throw error
    await session.parts.cache.caughtUp()
    return applyObject(session, target, body, force)
  }
}
