import type { ManagedFieldsEntry } from '../objects/object.ts'
import {
  differenceFields,
  emptyFields,
  type FieldSet,
  formatFieldsV1,
  isEmptyFields,
  parseFieldsV1,
  unionFields,
  withoutSubtrees,
} from './field-set.ts'
import type { ChangesInVersions } from './in-versions.ts'

/** Who writes. Two writes are by the same owner when all of this is the same, except that applying does not tell versions apart. */
export interface FieldOwner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string
}

/** What one owner owns, since when. */
export interface OwnedFields extends FieldOwner {
  readonly fields: FieldSet
  /** RFC 3339, seconds. */
  readonly time?: string
  /** The entry that this was read from, while it still says the same. */
  readonly entry?: ManagedFieldsEntry
}

/** All owners of an object, by {@link ownerId}. */
export type Ownership = ReadonlyMap<string, OwnedFields>

/** The identity of an owner: equal for writes that share an entry. */
export const ownerId = (owner: FieldOwner): string =>
  JSON.stringify([owner.operation, owner.manager, owner.operation === 'Apply' ? '' : owner.apiVersion, owner.subresource ?? ''])

/** The name under which nobody in particular writes. */
const unknownManager = 'unknown'

/**
 * Reads `metadata.managedFields`. Malformed entries are left out: they then own nothing, as in Kubernetes.
 * Of entries of the same owner the fields are joined. `trusted` entries come from the store, where only {@link writeManagedFields} puts them:
 * their paths are taken as they are, which saves most of the cost.
 */
export function readManagedFields(entries: readonly ManagedFieldsEntry[] | undefined, trusted = false): Map<string, OwnedFields> {
  const owners = new Map<string, OwnedFields>()
  for (const entry of entries ?? []) {
    const { operation, apiVersion, subresource, time } = entry
    if ((operation !== 'Apply' && operation !== 'Update') || (entry.fieldsType ?? 'FieldsV1') !== 'FieldsV1') continue
    const fields = trusted ? (entry.fieldsV1 as FieldSet | undefined) : parseFieldsV1(entry.fieldsV1 ?? {})
    if (fields === undefined || isEmptyFields(fields)) continue
    const owner: OwnedFields = {
      manager: entry.manager || unknownManager,
      operation,
      apiVersion: apiVersion ?? '',
      ...(subresource ? { subresource } : {}),
      ...(time === undefined ? {} : { time }),
      fields,
      entry,
    }
    const id = ownerId(owner)
    const known = owners.get(id)
    owners.set(id, known === undefined ? owner : { ...owner, fields: unionFields(known.fields, fields), entry: undefined })
  }
  return owners
}

/** An owner with other fields. The time changes only when told. */
export const withFields = (owner: OwnedFields, fields: FieldSet, time = owner.time): OwnedFields =>
  fields === owner.fields && time === owner.time ? owner : { ...owner, fields, time, entry: undefined }

/** What an owner owns after a write: the writer still what it had, another one nothing that was changed; nobody what is gone, or named in a version that is not served. */
export function keptFields(owner: OwnedFields, changes: ChangesInVersions, isWriter: boolean): FieldSet {
  if (isWriter) return withoutSubtrees(owner.fields, changes.own.removed)
  const theirs = changes.of(owner.apiVersion)
  return theirs === undefined ? emptyFields : withoutSubtrees(differenceFields(owner.fields, theirs.changed), theirs.removed)
}

const writeEntry = (owner: OwnedFields): ManagedFieldsEntry =>
  owner.entry ?? {
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(owner.time === undefined ? {} : { time: owner.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: formatFieldsV1(owner.fields),
    ...(owner.subresource === undefined ? {} : { subresource: owner.subresource }),
  }

const compareText = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0)

/** The entries for `metadata.managedFields`, in Kubernetes' order: appliers first, then by time, manager, version and subresource. */
export function writeManagedFields(owners: Ownership): ManagedFieldsEntry[] | undefined {
  const sorted = [...owners.values()]
    .filter((owner) => !isEmptyFields(owner.fields))
    .sort(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time, b.time) ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
  return sorted.length === 0 ? undefined : sorted.map(writeEntry)
}

const maxUpdateManagers = 10
const ancientChanges = 'ancient-changes'

/**
 * Keeps the number of Update entries at ten: the oldest of each version are joined under the name `ancient-changes`.
 * Returns its argument when there are not too many.
 */
export function capManagers(owners: Map<string, OwnedFields>): Map<string, OwnedFields> {
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update')
  if (updaters.length <= maxUpdateManagers) return owners
  updaters.sort(([aId, a], [bId, b]) => compareText(a.time, b.time) || compareText(aId, bId))
  const capped = new Map(owners)
  const firstOfVersion = new Map<string, string>()
  let count = updaters.length
  for (const [id, owner] of updaters) {
    if (count <= maxUpdateManagers) break
    const bucket: FieldOwner = { manager: ancientChanges, operation: 'Update', apiVersion: owner.apiVersion }
    const bucketId = ownerId(bucket)
    const first = firstOfVersion.get(owner.apiVersion)
    if (first === undefined) {
      firstOfVersion.set(owner.apiVersion, id)
      continue
    }
    const firstOwner = capped.get(first)
    if (first !== bucketId && firstOwner !== undefined) {
      capped.delete(first)
      const inBucket = capped.get(bucketId)
      capped.set(bucketId, {
        ...bucket,
        time: firstOwner.time,
        fields: inBucket === undefined ? firstOwner.fields : unionFields(inBucket.fields, firstOwner.fields),
      })
      if (inBucket !== undefined) count--
    }
    if (id === bucketId) continue
    const joined = capped.get(bucketId) as OwnedFields
    capped.delete(id)
    capped.set(bucketId, { ...bucket, time: owner.time, fields: unionFields(joined.fields, owner.fields) })
    count--
  }
  return capped
}
