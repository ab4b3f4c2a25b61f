import { forbidden, notFound } from '../client/api-errors.ts'
import { Namespace } from '../kinds/namespace.ts'
import type { AdmissionRequest } from './admission.ts'

/** Namespaces that are never deleted. */
export const immortalNamespaces: readonly string[] = ['default', 'kube-system', 'kube-public']

/**
 * The admission that core itself makes: a namespaced object is created only in a namespace that exists and is not ending,
 * exactly (the namespace's version is a condition of the commit), and the system's namespaces are not deleted.
 * Throws 404 and 403 as Kubernetes' NamespaceLifecycle does.
 */
export function namespaceLifecycle(request: AdmissionRequest): void {
  const isNamespace = request.resource.group === '' && request.resource.resource === 'namespaces'
  if (isNamespace) {
    if (request.operation === 'DELETE' && request.subresource === undefined && immortalNamespaces.includes(request.name)) {
      throw forbidden(request.resource, request.name, 'this namespace may not be deleted')
    }
    return
  }
  if (request.operation !== 'CREATE' || request.namespace === '' || request.subresource !== undefined) return
  const namespace = request.read.get(Namespace, { namespace: '', name: request.namespace })
  if (namespace === undefined) throw notFound(Namespace, request.namespace)
  if (namespace.metadata.deletionTimestamp !== undefined) {
    throw forbidden(
      request.resource,
      request.name,
      `unable to create new content in namespace ${request.namespace} because it is being terminated`,
      [{ reason: 'NamespaceTerminating', message: `namespace ${request.namespace} is being terminated`, field: 'metadata.namespace' }],
    )
  }
  request.condition(Namespace, { namespace: '', name: request.namespace }, namespace.metadata.resourceVersion ?? '')
}
