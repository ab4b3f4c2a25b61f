import { ApiError, type StatusCause } from '../errors/api-error.ts'
import type { FieldError } from '../errors/field-error.ts'
import { formatGroupResource, type GroupResource } from '../objects/names.ts'
import type { ResourceDefinition } from '../resources/resource.ts'

const groupResource = (definition: Pick<ResourceDefinition, 'group' | 'plural'>): GroupResource => ({
  group: definition.group,
  resource: definition.plural,
})

const detailsOf = (resource: GroupResource, name: string) => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.resource,
})

/** `widgets.example.com "web" not found`. */
export const notFound = (resource: GroupResource, name: string): ApiError =>
  new ApiError('NotFound', `${formatGroupResource(resource)} ${JSON.stringify(name)} not found`, detailsOf(resource, name))

/** What a request for a resource that is not served gets. */
export const notServed = (): ApiError => new ApiError('NotFound', 'the server could not find the requested resource', {})

export const alreadyExists = (resource: GroupResource, name: string): ApiError =>
  new ApiError('AlreadyExists', `${formatGroupResource(resource)} ${JSON.stringify(name)} already exists`, detailsOf(resource, name))

/** The request was made against a version that is no longer the latest, or against another object of the same name. */
export const conflict = (resource: GroupResource, name: string, why: string): ApiError =>
  new ApiError(
    'Conflict',
    `Operation cannot be fulfilled on ${formatGroupResource(resource)} ${JSON.stringify(name)}: ${why}`,
    detailsOf(resource, name),
  )

export const staleObject = (resource: GroupResource, name: string): ApiError =>
  conflict(resource, name, 'the object has been modified; please apply your changes to the latest version and try again')

export const forbidden = (resource: GroupResource, name: string, why: string, causes?: readonly StatusCause[]): ApiError =>
  new ApiError('Forbidden', `${formatGroupResource(resource)}${name === '' ? '' : ` ${JSON.stringify(name)}`} is forbidden: ${why}`, {
    ...detailsOf(resource, name),
    ...(causes === undefined ? {} : { causes }),
  })

export const methodNotSupported = (resource: GroupResource, verb: string): ApiError =>
  new ApiError(
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind ${JSON.stringify(formatGroupResource(resource))}`,
    detailsOf(resource, ''),
  )

/** 422 with one cause for each fault. `kind` is the kind, not the plural, as Kubernetes does. */
export function invalid(kind: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  const shown = errors.map((error) => `${error.field}: ${error.message}`)
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const message = shown.length === 1 ? shown[0] : `[${shown.join(', ')}]`
  return new ApiError('Invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${message}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes: errors.map((error) => ({ reason: error.type, message: error.message, field: error.field })),
  })
}

/** A read of a version that does not exist yet: the caller is to come again. */
export const futureVersion = (wanted: number, current: number): ApiError =>
  new ApiError('Timeout', `Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

export const expired = (message: string): ApiError => new ApiError('Expired', message)

/** A continue token whose revision was compacted. It carries a new token that goes on at the latest revision. */
export class ExpiredContinueError extends ApiError {
  readonly continue: string

  constructor(token: string) {
    super(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    )
    this.continue = token
  }

  override toStatus(): ReturnType<ApiError['toStatus']> {
    return { ...super.toStatus(), metadata: { continue: this.continue } }
  }
}

export { groupResource }
