import { type FieldError, fieldError } from '../errors/field-error.ts'
import type { DeepReadonly, UnstructuredObject } from '../objects/object.ts'
import { validateMetadata, validateMetadataUpdate } from '../objects/validate-metadata.ts'
import type { ServedResource } from '../resources/registry.ts'
import { jsonEqual } from '../schema/json-value.ts'
import { objectMetaSchema } from '../schema/object-meta-schema.ts'
import { validate } from '../schema/validate.ts'
import { invalid } from './api-errors.ts'

/** Rules look at objects that are of their types alone. */
const rulesNotChecked = fieldError.invalid(
  '<nil>',
  'null',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

/** Refuses an object that its schema, its strategy or the rules of metadata do not allow. Throws 422 with every fault. */
export function validateObject(
  served: ServedResource,
  next: DeepReadonly<UnstructuredObject>,
  old: DeepReadonly<UnstructuredObject> | undefined,
  subresource: string | undefined,
): void {
  const { definition, schema, version } = served
  const { strategy } = definition
  let errors: FieldError[] = validate(schema, next, '', { listTypes: definition.custom === true })
  // A schema may have become stricter since the object was written: what an update leaves alone stays valid.
  if (errors.length > 0 && definition.custom === true && old !== undefined) errors = validate(schema, next, '', { old })
  // A custom resource's own schema does not spell metadata out.
  if (definition.custom === true) errors.push(...validate(objectMetaSchema, next.metadata, 'metadata'))
  // The strategy may rely on the types that the schema promises.
  if (errors.length === 0) {
    if (old === undefined || !jsonEqual(next.metadata, old.metadata)) {
      errors.push(...validateMetadata(next.metadata, definition.namespaced, strategy?.validateName))
    }
    if (old !== undefined) errors.push(...validateMetadataUpdate(next.metadata, old.metadata))
    errors.push(...(strategy?.validate?.(next, old) ?? []))
    if (old !== undefined) errors.push(...(strategy?.validateUpdate?.(next, old, subresource) ?? []))
    if (version.rules !== undefined) errors.push(...version.rules.validate(next, old))
  } else if (version.rules !== undefined) errors.push(rulesNotChecked)
  if (errors.length > 0) throw invalid(served.gvk, next.metadata.name || next.metadata.generateName || '', errors)
}
