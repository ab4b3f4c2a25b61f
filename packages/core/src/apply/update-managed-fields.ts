import type { KubeObject, ManagedFieldsEntry } from '../objects/object.ts'
import { jsonEqual } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { compareFields, type FieldChanges } from './compare-fields.ts'
import { createdFields } from './extract-fields.ts'
import { differenceFields, emptyFields, type FieldSet, isEmptyFields, unionFields, withoutSubtrees } from './field-set.ts'
import {
  capManagers,
  type FieldOwner,
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
  { changed, removed }: FieldChanges,
  owner: FieldOwner,
  now: string,
): Map<string, OwnedFields> {
  const id = ownerId(owner)
  const moved = new Map<string, OwnedFields>()
  for (const [otherId, other] of owners) {
    const kept = withoutSubtrees(otherId === id ? other.fields : differenceFields(other.fields, changed), removed)
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
 * times change only with what is owned or written.
 *
 * The client's own list counts where it sent one through the main resource (so that it can edit or, by `[{}]`, reset it);
 * otherwise the stored one does. An object whose fields were never tracked, or are reset, stays untracked until somebody applies.
 */
export function updateManagedFields(options: UpdateManagedFieldsOptions): ManagedFieldsEntry[] | undefined {
  const { schema, old, next, manager, apiVersion, subresource, now, ignored } = options
  const stored = old?.metadata.managedFields
  const sent = next.metadata.managedFields
  if (subresource === undefined && isReset(sent)) return undefined
  const useSent = subresource === undefined && sent !== undefined && sent.length > 0 && sent !== stored && !jsonEqual(sent, stored)
  const all = old === undefined ? { changed: createdFields(schema, next), removed: emptyFields } : compareFields(schema, old, next)
  const changes =
    ignored === undefined ? all : { changed: withoutSubtrees(all.changed, ignored), removed: withoutSubtrees(all.removed, ignored) }
  const unchanged = isEmptyFields(changes.changed) && isEmptyFields(changes.removed)
  const edited = useSent ? readManagedFields(sent) : undefined
  const isEdited = edited !== undefined && edited.size > 0
  if (unchanged && !isEdited) return stored
  const owners = isEdited ? edited : readManagedFields(stored, true)
  if (old !== undefined && owners.size === 0) return undefined
  if (unchanged) return writeManagedFields(owners)
  const owner: FieldOwner = { manager, operation: 'Update', apiVersion, ...(subresource === undefined ? {} : { subresource }) }
  return writeManagedFields(capManagers(moveOwnership(owners, changes, owner, now)))
}
