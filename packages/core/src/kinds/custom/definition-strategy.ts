import type { UnstructuredObject } from '../../objects/object.ts'
import type { ResourceStrategy } from '../../resources/resource.ts'
import { isRecord } from '../../schema/json-value.ts'
import type { Schema } from '../../schema/schema.ts'
import { cleanupFinalizer } from './cleanup-finalizer.ts'
import { withCondition } from './conditions.ts'
import type { CustomResourceDefinition } from './custom-resource-definition.ts'
import type { CustomResourceExtensions } from './custom-resource-extensions.ts'
import { validateDefinition, validateDefinitionUpdate } from './validate-definition.ts'

const typed = (object: unknown): CustomResourceDefinition => object as CustomResourceDefinition

/** Every version that objects may be stored in: those that were, and the one that is written now. */
function rememberStored(next: UnstructuredObject): void {
  const { spec, status } = typed(next)
  const storage = spec.versions?.find((version) => version.storage)?.name
  const stored = status?.storedVersions ?? []
  if (storage !== undefined && !stored.includes(storage)) typed(next).status = { ...status, storedVersions: [...stored, storage] }
}

function hasRules(schema: Schema | undefined, depth = 0): boolean {
  if (schema === undefined || depth > 50) return false
  if ((schema['x-kubernetes-validations']?.length ?? 0) > 0) return true
  const below = [
    schema.items,
    typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined,
    ...Object.values(schema.properties ?? {}),
  ]
  return below.some((part) => hasRules(part, depth + 1))
}

/** Rules of CustomResourceDefinition objects. */
export const definitionStrategy = (extensions: CustomResourceExtensions): ResourceStrategy => ({
  default(next) {
    const { spec } = typed(next)
    if (!isRecord(spec)) return
    if (isRecord(spec.names)) {
      const { names } = spec
      if (typeof names.kind === 'string') {
        names.singular ||= names.kind.toLowerCase()
        names.listKind ||= `${names.kind}List`
      }
    }
    spec.conversion ??= { strategy: 'None' }
  },
  prepareForCreate: rememberStored,
  prepareForUpdate: rememberStored,
  validate: (next, old) => validateDefinition(typed(next), old === undefined ? undefined : typed(old), extensions),
  validateUpdate: (next, old) => validateDefinitionUpdate(typed(next), typed(old)),
  warnings: (next) =>
    typed(next).spec.versions.flatMap((version, index) =>
      extensions.rules === undefined && hasRules(version.schema?.openAPIV3Schema)
        ? [
            `spec.versions[${index}].schema.openAPIV3Schema: x-kubernetes-validations are kept and published, but not enforced: no plugin provides schema-rules/v1`,
          ]
        : [],
    ),
  // The first request to delete always marks: objects of the kind go before the kind.
  holdsDeletion: (object) => object.metadata.deletionTimestamp === undefined,
  prepareForDelete(next) {
    const { metadata } = next
    if (!metadata.finalizers?.includes(cleanupFinalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), cleanupFinalizer]
    const status = typed(next).status ?? {}
    status.conditions = withCondition(status.conditions ?? [], {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      lastTransitionTime: metadata.deletionTimestamp,
    })
    typed(next).status = status
  },
})
