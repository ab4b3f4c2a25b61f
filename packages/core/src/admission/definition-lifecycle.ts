import { methodNotSupported, notServed } from '../client/api-errors.ts'
import { CustomResourceDefinition } from '../kinds/custom/custom-resource-definition.ts'
import type { AdmissionRequest } from './admission.ts'

/**
 * The admission that core itself makes for custom resources: one is created only while its definition is there and not being deleted,
 * exactly (the definition's version is a condition of the commit), so that nothing is left behind when the kind has gone.
 * Throws 404 and 405.
 */
export function definitionLifecycle(request: AdmissionRequest, definedBy: string | undefined): void {
  if (definedBy === undefined || request.operation !== 'CREATE' || request.subresource !== undefined) return
  const key = { namespace: '', name: definedBy }
  const definition = request.read.get(CustomResourceDefinition, key)
  if (definition === undefined) throw notServed()
  if (definition.metadata.deletionTimestamp !== undefined) throw methodNotSupported(request.resource, 'create')
  request.condition(CustomResourceDefinition, key, definition.metadata.resourceVersion ?? '')
}
