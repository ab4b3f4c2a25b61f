import type { KubeObject, ManagedFieldsEntry } from '../objects/object.ts'
import { jsonEqual } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { type FieldSet, isEmptyFields, unionFields } from './field-set.ts'
import { type ChangesInVersions, changesBetween, changesInVersions, type InVersions, inOneVersion } from './in-versions.ts'
import {
  capManagers,
  type FieldOwner,
  keptFields,
  type OwnedFields,
  ownerId,
  readManagedFields,
  withFields,
  writeManagedFields,
} from './managed-fields.ts'

/** One write that is no apply: who writes what over which object, and when. */
export interface UpdateManagedFieldsOptions {
  readonly schema: Schema | undefined
  /** The stored object; undefined for a creation. */
  readonly old: Readonly<KubeObject> | undefined
  /** The object as it is about to be stored, after admission. Its own `managedFields` are what the client sent. */
  readonly next: Readonly<KubeObject>
  readonly manager: string
  readonly apiVersion: string
  readonly subresource?: string
  /** RFC 3339, seconds. */
  readonly now: string
  /** Paths that this write cannot change, with what lies below: `status` in a write of the main resource. Their owners stay. */
  readonly ignored?: FieldSet
}

/** `managedFields: [{}]` is how a client resets them. */
const isReset = (entries: readonly ManagedFieldsEntry[] | undefined): boolean =>
  entries?.length === 1 && Object.keys(entries[0] as object).length === 0

/** Moves the changed fields from their owners to `owner`, and takes the removed ones from everybody. */
function moveOwnership(
  owners: ReadonlyMap<string, OwnedFields>,
  changes: ChangesInVersions,
  owner: FieldOwner,
  now: string,
): Map<string, OwnedFields> {
  const id = ownerId(owner)
  const { changed } = changes.own
  const moved = new Map<string, OwnedFields>()
  for (const [otherId, other] of owners) {
    const kept = keptFields(other, changes, otherId === id)
    if (!isEmptyFields(kept)) moved.set(otherId, withFields(other, kept))
  }
  if (isEmptyFields(changed)) return moved
  const own = moved.get(id)
  moved.set(id, own === undefined ? { ...owner, fields: changed, time: now } : withFields(own, unionFields(own.fields, changed), now))
  return moved
}

/**
 * The `managedFields` of an object after a create, update or patch: whoever changes a field takes it over, and what is removed nobody owns.
 * Nothing is changed in place. When the write changes nothing that can be owned, the answer is the very list that was there:
 * times change only with what is owned or written. Entries of other versions are read by asking for the objects in those versions.
 *
 * The client's own list counts where it sent one through the main resource (so that it can edit or, by `[{}]`, reset it);
 * otherwise the stored one does. An object whose fields were never tracked, or are reset, stays untracked until somebody applies.
 */
export function* updateInVersions(options: UpdateManagedFieldsOptions): InVersions<ManagedFieldsEntry[] | undefined> {
  const { schema, old, next, manager, apiVersion, subresource, now, ignored } = options
  const stored = old?.metadata.managedFields
  const sent = next.metadata.managedFields
  if (subresource === undefined && isReset(sent)) return undefined
  const useSent = subresource === undefined && sent !== undefined && sent.length > 0 && sent !== stored && !jsonEqual(sent, stored)
  const changes = changesBetween(schema, old, next, ignored)
  const unchanged = isEmptyFields(changes.changed) && isEmptyFields(changes.removed)
  const edited = useSent ? readManagedFields(sent) : undefined
  const isEdited = edited !== undefined && edited.size > 0
  if (unchanged && !isEdited) return stored
  const owners = isEdited ? edited : readManagedFields(stored, true)
  if (old !== undefined && owners.size === 0) return undefined
  if (unchanged) return writeManagedFields(owners)
  const owner: FieldOwner = { manager, operation: 'Update', apiVersion, ...(subresource === undefined ? {} : { subresource }) }
  const inVersions = yield* changesInVersions(owners, {
    apiVersion,
    ownerId: ownerId(owner),
    before: old,
    after: next,
    own: changes,
    ignored,
  })
  return writeManagedFields(capManagers(moveOwnership(owners, inVersions, owner, now)))
}

/** {@link updateInVersions} for versions that differ by nothing but their names. */
export const updateManagedFields = (options: UpdateManagedFieldsOptions): ManagedFieldsEntry[] | undefined =>
  inOneVersion(options.schema, updateInVersions(options))
