import { ApiError } from '../errors/api-error.ts'
import { notFound } from './api-errors.ts'
import type { ObjectViewList, VirtualObjects } from './object-service.ts'
import type { ListOptions } from './options.ts'
import { PlainView } from './plain-view.ts'
import { compileSelection } from './selection.ts'
import type { ServiceParts } from './service-parts.ts'
import type { Target } from './target.ts'

/** Who computes the objects of a virtual resource. Throws 503 when nobody does. */
function sourceOf(parts: ServiceParts, { served }: Target): VirtualObjects {
  const { group, plural } = served.definition
  const source = parts.virtual.get(`${group}/${plural}`)
  if (source === undefined) throw new ApiError('ServiceUnavailable', `nothing in this cluster answers ${group}/${plural}`)
  return source
}

export async function getVirtual(parts: ServiceParts, target: Target): Promise<PlainView> {
  const object = await sourceOf(parts, target).get(target.namespace, target.name)
  if (object === undefined) throw notFound(target.served.gvr, target.name)
  return new PlainView(object)
}

/** Always whole: there is no version at which a second page could go on. */
export async function listVirtual(parts: ServiceParts, target: Target, options: ListOptions): Promise<ObjectViewList> {
  const selection = compileSelection(target.served, { ...options, namespace: target.namespace || options.namespace || '' })
  const objects = await sourceOf(parts, target).list(selection.namespace)
  return { items: objects.map((object) => new PlainView(object)).filter((view) => selection.matches(view)), resourceVersion: '' }
}
