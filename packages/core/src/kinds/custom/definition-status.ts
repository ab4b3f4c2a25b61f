import type { Condition, DeepReadonly } from '../../objects/object.ts'
import type { ResourceDefinition } from '../../resources/resource.ts'
import { withCondition } from './conditions.ts'
import type { CustomResourceDefinition, CustomResourceNames } from './custom-resource-definition.ts'

type Definition = DeepReadonly<CustomResourceDefinition>

/** What a definition's names clash with, if they do. */
export interface NameConflict {
  readonly reason: string
  readonly message: string
}

const resourceNames = (names: DeepReadonly<CustomResourceNames>): readonly (readonly [field: string, name: string])[] => [
  ['Plural', names.plural],
  ...(names.singular === undefined ? [] : [['Singular', names.singular] as const]),
  ...(names.shortNames ?? []).map((name) => ['ShortNames', name] as const),
]

/** Compares a definition's names with those of the other resources of its group. Pure. */
export function findNameConflict(definition: Definition, others: readonly ResourceDefinition[]): NameConflict | undefined {
  const { names, group } = definition.spec
  for (const other of others) {
    if (other.plural === names.plural && other.group === group && other.custom === true) continue
    if (other.group !== group && !other.aliases?.some((alias) => alias.group === group)) continue
    const taken = new Set([other.plural, other.singular ?? other.kind.toLowerCase(), ...(other.shortNames ?? [])])
    for (const [field, name] of resourceNames(names)) {
      if (taken.has(name)) return { reason: `${field}Conflict`, message: `${JSON.stringify(name)} is already in use` }
    }
    const kinds = new Set([other.kind, other.listKind ?? `${other.kind}List`])
    if (kinds.has(names.kind)) return { reason: 'KindConflict', message: `${JSON.stringify(names.kind)} is already in use` }
    if (names.listKind !== undefined && kinds.has(names.listKind))
      return { reason: 'ListKindConflict', message: `${JSON.stringify(names.listKind)} is already in use` }
  }
  return undefined
}

/** The status that a definition shall have, given what its names clash with. An established definition stays established. */
export function nextStatus(
  definition: Definition,
  conflict: NameConflict | undefined,
  now: string,
): NonNullable<CustomResourceDefinition['status']> {
  const old = (definition.status ?? {}) as NonNullable<CustomResourceDefinition['status']>
  const { names } = definition.spec
  const accepted: Condition =
    conflict === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found', lastTransitionTime: now }
      : { type: 'NamesAccepted', status: 'False', reason: conflict.reason, message: conflict.message, lastTransitionTime: now }
  let conditions = withCondition(old.conditions ?? [], accepted)
  const established = conditions.some((condition) => condition.type === 'Established' && condition.status === 'True')
  if (!established) {
    conditions = withCondition(
      conditions,
      conflict === undefined
        ? {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
            lastTransitionTime: now,
          }
        : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted', lastTransitionTime: now },
    )
  }
  return {
    ...old,
    conditions,
    acceptedNames: conflict === undefined ? (names as CustomResourceNames) : { plural: '', kind: '', ...old.acceptedNames },
    storedVersions: old.storedVersions ?? definition.spec.versions.filter((version) => version.storage).map((version) => version.name),
  }
}
