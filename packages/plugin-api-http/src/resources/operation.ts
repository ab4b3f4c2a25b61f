import { ApiError, type ServedResource, type Subresource, type Verb, verbsOf } from '@continuo/core'
import type { ResourcePath } from '../request/path.ts'

/** What a request asks to do with a resource. */
export type Operation =
  | {
      readonly type: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'
      readonly subresource?: Subresource
    }
  | { readonly type: 'connect'; readonly subresource: Subresource }

export const notFound = (): ApiError => new ApiError('NotFound', 'the server could not find the requested resource', {})

export const methodNotAllowed = (): ApiError =>
  new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

const verbs: Readonly<Record<string, 'get' | 'create' | 'update' | 'patch' | 'delete'>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

const allows = ({ definition }: ServedResource, verb: Verb): boolean => verbsOf(definition)?.includes(verb) !== false

function subresourceOperation(served: ServedResource, path: ResourcePath, method: string): Operation {
  const subresource = served.version.subresources?.find((one) => one.name === path.subresource)
  if (subresource === undefined || path.watch || (path.rest !== '' && subresource.type !== 'connect')) throw notFound()
  const verb = method === 'HEAD' && subresource.type === 'connect' ? 'get' : verbs[method]
  if (verb === undefined || !(subresource.verbs as readonly string[]).includes(verb)) throw methodNotAllowed()
  if (subresource.type === 'connect') return { type: 'connect', subresource }
  return { type: verb, subresource }
}

/**
 * What a method on a path means for a resource. Pure. Throws 404 for a path that the resource does not have (a namespace around
 * a cluster-scoped kind, a single object of a namespaced kind without its namespace), 405 for a method that it does not offer.
 */
export function operationOf(served: ServedResource, path: ResourcePath, method: string, verb: string): Operation {
  const { namespaced } = served.definition
  if (path.within ? !namespaced : namespaced && path.name !== '') throw notFound()
  if (path.subresource !== '') return subresourceOperation(served, path, method)
  if (path.watch) {
    if (method !== 'GET') throw methodNotAllowed()
    if (!allows(served, 'watch')) throw methodNotAllowed()
    return { type: 'watch' }
  }
  const everywhere = namespaced && !path.within
  const type = verb as Verb
  const known =
    type === 'get' ||
    type === 'list' ||
    type === 'watch' ||
    type === 'create' ||
    type === 'update' ||
    type === 'patch' ||
    type === 'delete' ||
    type === 'deletecollection'
  if (!known || method === 'HEAD' || !allows(served, type)) throw methodNotAllowed()
  if (type === 'create' && (path.name !== '' || everywhere)) throw methodNotAllowed()
  if ((type === 'update' || type === 'patch') && path.name === '') throw methodNotAllowed()
  if (type === 'deletecollection' && everywhere) throw methodNotAllowed()
  return { type }
}
