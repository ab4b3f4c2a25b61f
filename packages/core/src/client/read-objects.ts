import { ApiError } from '../errors/api-error.ts'
import { isStoreError } from '../store/store-error.ts'
import { notFound } from './api-errors.ts'
import type { Caller } from './caller.ts'
import { ensureFresh } from './freshness.ts'
import type { ObjectRef, ObjectView } from './object-service.ts'
import type { GetOptions } from './options.ts'
import { PlainView } from './plain-view.ts'
import { prepareViews } from './prepare-views.ts'
import type { ServiceParts } from './service-parts.ts'
import { StoredView, type ViewSource } from './stored-view.ts'
import { openTarget, type Target } from './target.ts'
import { getVirtual } from './virtual-objects.ts'

/** A view of one source in the target's version, converted where that is needed. */
export async function viewOf(parts: ServiceParts, target: Pick<Target, 'form'>, source: ViewSource): Promise<StoredView> {
  const view = new StoredView(parts.views, target.form, source)
  await prepareViews([view])
  return view
}

/** The current object of a target from the cache, or `undefined`. */
export async function readCurrent(parts: ServiceParts, target: Target): Promise<StoredView | undefined> {
  const entry = parts.cache.get(target.key)
  return entry === undefined ? undefined : viewOf(parts, target, entry)
}

/** What a subresource shows of its parent. */
export function subresourceView(target: Target, parent: ObjectView): ObjectView {
  const { subresource } = target
  if (subresource?.type !== 'object' || subresource.read === undefined) return parent
  return new PlainView(subresource.read(parent.object))
}

export async function getObject(parts: ServiceParts, ref: ObjectRef, options: GetOptions, caller: Caller): Promise<ObjectView> {
  const opened = openTarget(parts, 'get', ref, caller)
  const target = opened instanceof Promise ? await opened : opened
  if (target.name === '') throw new ApiError('BadRequest', 'name is required')
  if (target.subresource !== undefined && target.subresource.type !== 'object') {
    throw new ApiError('BadRequest', `subresource ${target.subresource.name} is answered by the server of the API, not read`)
  }
  if (target.served.definition.virtual === true) return getVirtual(parts, target)
  // Most reads wait for nothing, and a promise costs as much as the read.
  const fresh = ensureFresh(parts, options.resourceVersion)
  if (fresh !== undefined) await fresh
  const entry = parts.cache.get(target.key)
  if (entry === undefined) throw notFound(target.served.gvr, target.name)
  const view = new StoredView(parts.views, target.form, entry)
  const converting = prepareViews([view])
  if (converting !== undefined) await converting
  return subresourceView(target, view)
}

/** True when a revision can no longer be read. */
export const isCompacted = (error: unknown): boolean => isStoreError(error, 'STORE_COMPACTED')
