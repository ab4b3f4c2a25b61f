import { isApiError } from '../errors/api-error.ts'
import type { GroupVersionKind } from '../objects/names.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import type { Schema } from '../schema/schema.ts'
import { validate } from '../schema/validate.ts'
import { isStoreError } from '../store/store-error.ts'
import { invalid } from './api-errors.ts'

/**
 * The error to throw where a strategy, a subresource or admission stumbled over an object. They rely on the types that the schema promises
 * and run before it is checked, for they may still change the object: when it breaks its schema, that is what is wrong (422).
 */
export function explainFault(
  error: unknown,
  gvk: GroupVersionKind,
  schema: Schema | undefined,
  object: DeepReadonly<UnstructuredObject>,
): unknown {
  if (schema === undefined || isApiError(error) || isStoreError(error)) return error
  const faults = validate(schema, object)
  return faults.length === 0 ? error : invalid(gvk, object.metadata.name || object.metadata.generateName || '', faults)
}
