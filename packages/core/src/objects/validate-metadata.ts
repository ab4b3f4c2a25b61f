import { type FieldError, fieldError } from '../errors/field-error.ts'
import { labelKeyFaults, labelValueFaults } from '../selectors/label-syntax.ts'
import { dnsSubdomainFaults, pathSegmentFaults } from './name-rules.ts'
import type { DeepReadonly, ObjectMeta, OwnerReference } from './object.ts'

/** Bytes that the annotations of one object may have together. */
const maxAnnotationBytes = 256 * 1024

type NameRule = (name: string, isPrefix: boolean) => readonly string[]

/** The metadata of an object that is about to be stored: the checks that Kubernetes makes for every kind. */
export function validateMetadata(
  meta: DeepReadonly<ObjectMeta>,
  namespaced: boolean,
  nameRule: NameRule = dnsSubdomainFaults,
): FieldError[] {
  const errors: FieldError[] = []
  if (meta.generateName) {
    for (const fault of nameRule(meta.generateName, true))
      errors.push(fieldError.invalid('metadata.generateName', meta.generateName, fault))
  }
  if (!meta.name) errors.push(fieldError.required('metadata.name', 'name or generateName is required'))
  else {
    const faults = nameRule(meta.name, false)
    for (const fault of faults.length > 0 ? faults : pathSegmentFaults(meta.name))
      errors.push(fieldError.invalid('metadata.name', meta.name, fault))
  }
  if (namespaced && !meta.namespace) errors.push(fieldError.required('metadata.namespace'))
  if (!namespaced && meta.namespace) errors.push(fieldError.forbidden('metadata.namespace', 'not allowed on this type'))
  validateLabels(meta.labels, 'metadata.labels', errors)
  validateAnnotations(meta.annotations, errors)
  validateOwners(meta.ownerReferences, errors)
  validateFinalizers(meta.finalizers, errors)
  return errors
}

/** What an update may not change. `deletionTimestamp`, `creationTimestamp` and the like were restored before. */
export function validateMetadataUpdate(next: DeepReadonly<ObjectMeta>, old: DeepReadonly<ObjectMeta>): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if (next[field] !== old[field]) errors.push(fieldError.invalid(`metadata.${field}`, next[field], 'field is immutable'))
  }
  if (old.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer))
    if (added.length > 0) {
      const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(', ')
      errors.push(
        fieldError.forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
        ),
      )
    }
  }
  return errors
}

/** Keys and values of a map of labels; `path` names it in the errors. */
export function validateLabels(labels: DeepReadonly<Record<string, string>> | undefined, path: string, errors: FieldError[]): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const fault of labelKeyFaults(key)) errors.push(fieldError.invalid(path, key, fault))
    for (const fault of labelValueFaults(String(value))) errors.push(fieldError.invalid(path, value, fault))
  }
}

function validateAnnotations(annotations: DeepReadonly<Record<string, string>> | undefined, errors: FieldError[]): void {
  let bytes = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const fault of labelKeyFaults(key.toLowerCase())) errors.push(fieldError.invalid('metadata.annotations', key, fault))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value))
  }
  if (bytes > maxAnnotationBytes) errors.push(fieldError.tooLong('metadata.annotations', maxAnnotationBytes))
}

function validateOwners(owners: DeepReadonly<OwnerReference[]> | undefined, errors: FieldError[]): void {
  let controller: string | undefined
  owners?.forEach((owner, index) => {
    const path = `metadata.ownerReferences[${index}]`
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field])
        errors.push(
          fieldError.invalid(`${path}.${field}`, owner[field] ?? '', `${field === 'apiVersion' ? 'version' : field} must not be empty`),
        )
    }
    if (owner.controller !== true) return
    if (controller !== undefined) {
      errors.push(
        fieldError.invalid(
          'metadata.ownerReferences',
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
        ),
      )
    }
    controller = owner.name
  })
}

function validateFinalizers(finalizers: readonly string[] | undefined, errors: FieldError[]): void {
  finalizers?.forEach((finalizer, index) => {
    for (const fault of labelKeyFaults(finalizer)) errors.push(fieldError.invalid('metadata.finalizers', finalizer, fault))
    if (finalizers.indexOf(finalizer) !== index) errors.push(fieldError.duplicate(`metadata.finalizers[${index}]`, finalizer))
  })
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(fieldError.invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
}
