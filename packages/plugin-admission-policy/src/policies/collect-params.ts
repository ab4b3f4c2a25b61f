import {
  type AdmissionReader,
  compileLabelSelector,
  type DeepReadonly,
  type Kind,
  parseApiVersion,
  type Registry,
  type UnstructuredObject,
} from '@continuo/core'
import type { ParamKind, ParamRef } from '@continuo/workload'

/** A policy or binding that cannot be evaluated as it stands. Subject to the policy's failure policy. */
export class ConfigurationError extends TypeError {}

type Params = readonly (DeepReadonly<UnstructuredObject> | null)[]

/** The resource of a policy's parameters. Throws {@link ConfigurationError} when it is not served. */
export function paramResource(paramKind: DeepReadonly<ParamKind>, registry: Registry): Kind<UnstructuredObject> {
  const { apiVersion = '', kind = '' } = paramKind
  const served = registry.resolveKind({ ...parseApiVersion(apiVersion), kind })
  if (served === undefined) throw new ConfigurationError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`)
  return { ...served.gvr, kind, namespaced: served.definition.namespaced }
}

/**
 * The parameters with which a binding evaluates its policy: one `null` where it has none, none at all when they are missing and that is allowed.
 * `namespace` is that of the request. Throws {@link ConfigurationError}.
 */
export function collectParams(
  resource: Kind<UnstructuredObject> | undefined,
  paramRef: DeepReadonly<ParamRef> | undefined,
  namespace: string,
  read: AdmissionReader,
): Params {
  if (resource === undefined || paramRef === undefined) return [null]
  if (!resource.namespaced && paramRef.namespace)
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const place = resource.namespaced ? paramRef.namespace || namespace : ''
  if (resource.namespaced && place === '')
    throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const found = find(resource, paramRef, place, read)
  if (found.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found
}

function find(
  resource: Kind<UnstructuredObject>,
  { name, selector }: DeepReadonly<ParamRef>,
  namespace: string,
  read: AdmissionReader,
): Params {
  if (name) {
    const param = read.get(resource, { namespace, name })
    return param === undefined ? [] : [param]
  }
  const matches = compileLabelSelector(selector as Parameters<typeof compileLabelSelector>[0])
  return read
    .list(resource, namespace)
    .filter(({ metadata }) => matches(metadata.labels))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}
