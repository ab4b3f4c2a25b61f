import type { KubeObject } from '../objects/object.ts'
import { jsonEqual, setOwn } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { checkConfiguration } from './check-configuration.ts'
import { conflictError, type FieldConflict, findConflicts, inWordsOf, type SpokenFields } from './conflicts.ts'
import { dropAbandoned } from './drop-abandoned.ts'
import { appliedFields, createdFields } from './extract-fields.ts'
import { differenceFields, equalFields, type FieldSet, isEmptyFields } from './field-set.ts'
import { changesBetween, changesInVersions, type InVersions, inOneVersion } from './in-versions.ts'
import { fieldsOfLastApplied, kubectlApplier, refreshLastApplied } from './last-applied.ts'
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
import { mergeConfiguration } from './merge-configuration.ts'
import { removeFields } from './remove-fields.ts'

/** One apply: who applies what onto which object, and when. */
export interface ApplyConfigurationOptions {
  readonly schema: Schema | undefined
  /** The stored object; undefined when applying creates it. */
  readonly live: Readonly<KubeObject> | undefined
  /** What the manager wants, in full: fields that it named before and does not name now go, unless somebody else owns them. */
  readonly config: Readonly<KubeObject>
  readonly manager: string
  /** Takes over fields of others instead of refusing. */
  readonly force?: boolean
  readonly apiVersion: string
  readonly subresource?: string
  /** RFC 3339, seconds. */
  readonly now: string
  /** Paths that this write cannot change, with what lies below: `status` in an apply of the main resource. They are left out of the configuration. */
  readonly ignored?: FieldSet
  /** The words in which the client spoke, when they are not the object's own, as those of `scale` are: conflicts are told in them. */
  readonly spoken?: SpokenFields
}

const beforeFirstApply = 'before-first-apply'

/** The owners of a live object; what it had before anybody tracked it belongs to `before-first-apply`. */
function ownersOf({ schema, live, apiVersion, now }: ApplyConfigurationOptions): Map<string, OwnedFields> {
  const owners = readManagedFields(live?.metadata.managedFields, true)
  if (live === undefined || owners.size > 0) return owners
  const fields = createdFields(schema, live)
  if (isEmptyFields(fields)) return owners
  const owner: OwnedFields = { manager: beforeFirstApply, operation: 'Update', apiVersion, time: now, fields }
  return new Map([[ownerId(owner), owner]])
}

/** What kubectl may not take over from client-side apply without being forced. */
function remainingConflicts(
  conflicts: readonly FieldConflict[],
  { schema, live, manager }: ApplyConfigurationOptions,
): readonly FieldConflict[] {
  if (manager !== kubectlApplier || live === undefined || conflicts.length === 0) return conflicts
  const allowed = fieldsOfLastApplied(schema, live)
  return conflicts
    .map(({ owner, fields }) => ({ owner, fields: differenceFields(fields, allowed) }))
    .filter(({ fields }) => !isEmptyFields(fields))
}

const serverWritten = new Set([
  'selfLink',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
])

/** The configuration without what only the server writes: clients send `creationTimestamp: null` along, which must not reach the object. */
function ofClient(config: Readonly<KubeObject>): KubeObject {
  const entries = Object.entries(config.metadata).filter(
    ([key, value]) => !serverWritten.has(key) && !((key === 'uid' || key === 'resourceVersion') && value === null),
  )
  return entries.length === Object.keys(config.metadata).length
    ? config
    : { ...config, metadata: Object.fromEntries(entries) as unknown as KubeObject['metadata'] }
}

function withManagedFields(object: KubeObject, managedFields: KubeObject['metadata']['managedFields']): KubeObject {
  const metadata: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object.metadata)) if (key !== 'managedFields') setOwn(metadata, key, value)
  if (managedFields !== undefined) metadata.managedFields = managedFields
  return { ...object, metadata: metadata as unknown as KubeObject['metadata'] }
}

/**
 * Server-side apply (KEP-555), as structured-merge-diff does it: lays the configuration over the live object, removes what the manager abandoned,
 * and records who owns what. The result has its `managedFields`; defaulting, admission and validation come after.
 * Nothing is changed in place; the result shares with both inputs, and is `live` itself when nothing changed, times included.
 *
 * Entries of other versions are read by asking for the objects in those versions; those of versions that are not served own nothing.
 * Throws Conflict with one FieldManagerConflict cause for each field of others that would change (unless `force`),
 * and BadRequest for a configuration that cannot be applied.
 */
export function* applyInVersions(options: ApplyConfigurationOptions): InVersions<KubeObject> {
  const { schema, live, apiVersion, subresource, now, ignored } = options
  checkConfiguration(schema, options.config, apiVersion)
  const ours = ofClient(options.config)
  const config = ignored === undefined ? ours : removeFields(schema, ours, ignored)
  const owner: FieldOwner = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion,
    ...(subresource === undefined ? {} : { subresource }),
  }
  const id = ownerId(owner)
  const owners = ownersOf(options)
  const last = owners.get(id)
  const fields = appliedFields(schema, config)
  if (isEmptyFields(fields)) owners.delete(id)
  else if (last === undefined || last.apiVersion !== apiVersion || !equalFields(last.fields, fields))
    owners.set(id, { ...owner, fields, time: now })

  const base = live ?? ({ apiVersion: config.apiVersion, kind: config.kind, metadata: {} } as KubeObject)
  let merged: KubeObject = mergeConfiguration(schema, base, config)
  if (last !== undefined && !isEmptyFields(differenceFields(last.fields, fields)))
    merged = yield* dropAbandoned({ schema, apiVersion, merged, last, owners })

  const changes = yield* changesInVersions(owners, {
    apiVersion,
    ownerId: id,
    before: base,
    after: merged,
    own: changesBetween(schema, base, merged),
  })
  const conflicts = findConflicts(owners, changes, id)
  const refused = options.force === true ? [] : remainingConflicts(conflicts, options)
  if (refused.length > 0) throw conflictError(options.spoken === undefined ? refused : refused.map(inWordsOf(options.spoken)))

  for (const [otherId, other] of owners) {
    const kept = keptFields(other, changes, otherId === id)
    if (isEmptyFields(kept)) owners.delete(otherId)
    else if (kept !== other.fields) owners.set(otherId, withFields(other, kept))
  }
  const own = owners.get(id)
  const wrote = !isEmptyFields(changes.own.changed) || !isEmptyFields(changes.own.removed)
  if (own !== undefined && wrote && own.time !== now) owners.set(id, withFields(own, own.fields, now))
  const managedFields = writeManagedFields(capManagers(owners))
  const unchanged = live !== undefined && merged === live && jsonEqual(managedFields, live.metadata.managedFields)
  const object = unchanged ? (live as KubeObject) : withManagedFields(merged, managedFields)
  return options.manager === kubectlApplier && live !== undefined && !unchanged ? refreshLastApplied(object, config) : object
}

/** {@link applyInVersions} for versions that differ by nothing but their names. */
export const applyConfiguration = (options: ApplyConfigurationOptions): KubeObject => inOneVersion(options.schema, applyInVersions(options))
