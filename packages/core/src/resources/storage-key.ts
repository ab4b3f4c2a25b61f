import { ApiError } from '../errors/api-error.ts'
import { pathSegmentFaults } from '../objects/name-rules.ts'
import type { ObjectKey } from '../objects/object.ts'
import type { ResourceDefinition } from './resource.ts'

/** Everything that is an object lies below it. */
export const objectRoot = '/registry/'

/** What core itself keeps: the base of resource versions. */
export const metaRoot = '/meta/'

/** Claims of admission: addresses, ports. */
export const allocationRoot = '/allocations/'

/** The storage prefix of a resource, with a slash at the end: `/registry/core/namespaces/`. */
export const resourcePrefix = (definition: Pick<ResourceDefinition, 'group' | 'plural'>): string =>
  `${objectRoot}${definition.group === '' ? 'core' : definition.group}/${definition.plural}/`

/** The prefix of a collection: of the resource, or of one namespace of it. */
export function collectionPrefix(definition: ResourceDefinition, namespace: string): string {
  if (namespace === '' || !definition.namespaced) return resourcePrefix(definition)
  checkSegment(namespace, 'namespace')
  return `${resourcePrefix(definition)}${namespace}/`
}

/** The storage key of an object. Names that would leave their place in the tree are refused with 400. */
export function objectKey(definition: ResourceDefinition, namespace: string, name: string): string {
  checkSegment(name, 'name')
  if (!definition.namespaced) return `${resourcePrefix(definition)}${name}`
  checkSegment(namespace, 'namespace')
  return `${resourcePrefix(definition)}${namespace}/${name}`
}

/** The inverse of {@link objectKey}, for keys below the resource's prefix. */
export function parseObjectKey(definition: ResourceDefinition, key: string): ObjectKey {
  const start = resourcePrefix(definition).length
  if (!definition.namespaced) return { namespace: '', name: key.slice(start) }
  const slash = key.indexOf('/', start)
  return { namespace: key.slice(start, slash), name: key.slice(slash + 1) }
}

/** The storage key of a claim such as `allocations/addresses/10.0.0.1`; anything that would leave `allocations/` is refused. */
export function claimKey(key: string): string {
  const path = key.startsWith('/') ? key.slice(1) : key
  const segments = path.split('/')
  if (
    segments[0] !== 'allocations' ||
    segments.length < 2 ||
    segments.some((segment) => segment === '' || pathSegmentFaults(segment).length > 0)
  ) {
    throw new ApiError('InternalError', `claim ${JSON.stringify(key)} is not a path below allocations/`)
  }
  return `/${path}`
}

function checkSegment(segment: string, what: string): void {
  const faults = segment === '' ? ['may not be empty'] : pathSegmentFaults(segment)
  if (faults.length > 0) throw new ApiError('BadRequest', `invalid ${what} ${JSON.stringify(segment)}: ${faults.join(', ')}`)
}
