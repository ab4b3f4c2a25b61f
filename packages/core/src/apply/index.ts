export { type ApplyConfigurationOptions, applyConfiguration, applyInVersions } from './apply-configuration.ts'
export { compareFields, type FieldChanges } from './compare-fields.ts'
export { appliedFields, createdFields } from './extract-fields.ts'
export {
  differenceFields,
  emptyFields,
  equalFields,
  type FieldSet,
  fieldPaths,
  formatFieldsV1,
  hasField,
  intersectFields,
  isEmptyFields,
  parseFieldsV1,
  unionFields,
  withField,
  withoutSubtrees,
} from './field-set.ts'
export { type FieldShape, fieldSchema, fieldShape } from './field-shape.ts'
export { type InVersions, inOneVersion, type ObjectsInVersion, type VersionAnswer, type VersionQuestion } from './in-versions.ts'
export { lastAppliedAnnotation } from './last-applied.ts'
export { type FieldOwner, type OwnedFields, type Ownership, ownerId, readManagedFields, writeManagedFields } from './managed-fields.ts'
export { mergeConfiguration } from './merge-configuration.ts'
export { type PathElement, showFieldPath } from './path-element.ts'
export { type UpdateManagedFieldsOptions, updateInVersions, updateManagedFields } from './update-managed-fields.ts'
