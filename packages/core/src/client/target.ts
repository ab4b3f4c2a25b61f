import { ApiError } from '../errors/api-error.ts'
import type { ServedResource } from '../resources/registry.ts'
import type { Subresource, Verb } from '../resources/resource.ts'
import { objectKey } from '../resources/storage-key.ts'
import { verbsOf } from '../resources/verbs-of.ts'
import { methodNotSupported, notServed } from './api-errors.ts'
import { ClientAuthorize } from './authorize.ts'
import type { Caller } from './caller.ts'
import type { ObjectRef } from './object-service.ts'
import type { ServiceParts } from './service-parts.ts'
import type { ViewForm } from './view-form.ts'

/** A request's resource, resolved against the registry as it is now. */
export interface Target {
  readonly served: ServedResource
  readonly form: ViewForm
  readonly namespace: string
  readonly name: string
  readonly subresource: Subresource | undefined
  /** Storage key; empty for collections. */
  readonly key: string
}

type TargetRef = Omit<ObjectRef, 'name'> & { readonly name?: string }

/**
 * Resolves, checks that the verb is offered, and authorises callers that are not trusted; without a promise when nobody has to be asked.
 * Throws 404, 405, 403, 400.
 */
export function openTarget(parts: ServiceParts, verb: Verb, ref: TargetRef, caller: Caller): Target | Promise<Target> {
  const served = parts.registry.resolve(ref)
  if (served === undefined) throw notServed()
  const { definition, version } = served
  const name = ref.name ?? ''
  const subresource = ref.subresource === undefined ? undefined : version.subresources?.find((one) => one.name === ref.subresource)
  if (ref.subresource !== undefined && subresource === undefined) throw notServed()
  const verbs: readonly string[] | undefined = subresource === undefined ? verbsOf(definition) : subresource.verbs
  if (verbs !== undefined && !verbs.includes(verb)) throw methodNotSupported(served.gvr, verb)
  // The name of a creation comes with the body, and is checked there with everything else.
  const bodyNames = verb === 'create' && subresource === undefined
  const open = (): Target => targetOf(parts, served, ref, { name, subresource, isKeyed: name !== '' && !bodyNames }, caller)
  if (caller.authorized === true || caller.trusted || parts.hooks.isIdle(ClientAuthorize)) return open()
  return authorizeFor(parts, served, verb, { ...ref, name: bodyNames ? '' : name }, caller).then(open)
}

function targetOf(
  parts: ServiceParts,
  served: ServedResource,
  ref: TargetRef,
  { name, subresource, isKeyed }: { readonly name: string; readonly subresource: Subresource | undefined; readonly isKeyed: boolean },
  caller: Caller,
): Target {
  const { definition, version } = served
  if (version.deprecated === true) caller.warn?.(version.deprecationWarning ?? `${served.apiVersion} ${served.gvk.kind} is deprecated`)
  if (!definition.namespaced && ref.namespace !== '')
    throw new ApiError('BadRequest', `${definition.plural} are not namespaced: ${JSON.stringify(ref.namespace)} was given`)
  if (definition.namespaced && ref.namespace === '' && name !== '')
    throw new ApiError('BadRequest', 'an empty namespace may not be set when a resource name is provided')
  const key = isKeyed && !definition.virtual ? objectKey(definition, ref.namespace, name) : ''
  return { served, form: parts.forms.of(served), namespace: ref.namespace, name, subresource, key }
}

/** Asks whether the caller may; trusted callers may. Throws 403. */
async function authorizeFor(parts: ServiceParts, served: ServedResource, verb: Verb, ref: ObjectRef, caller: Caller): Promise<void> {
  if (caller.trusted || parts.hooks.isIdle(ClientAuthorize)) return
  const { namespace, name, subresource } = ref
  await parts.hooks.call(ClientAuthorize, {
    caller,
    verb,
    resource: served.gvr,
    ...(subresource === undefined ? {} : { subresource }),
    namespace,
    name,
  })
}

/** An update or apply of an object that is not there creates it: whoever asks must be allowed that as well. Throws 403. */
export const authorizeCreation = (parts: ServiceParts, { served, namespace, name }: Target, caller: Caller): Promise<void> =>
  authorizeFor(parts, served, 'create', { ...served.gvr, namespace, name }, caller)
