import type { KubeObject } from '../objects/object.ts'
import type { Schema } from '../schema/schema.ts'
import { appliedFields } from './extract-fields.ts'
import { differenceFields, type FieldSet, intersectFields, isEmptyFields, unionFields } from './field-set.ts'
import type { InVersions, ObjectsInVersion } from './in-versions.ts'
import type { OwnedFields, Ownership } from './managed-fields.ts'
import { removeFields, withNamedParents } from './remove-fields.ts'

/** What was merged, in the version of the request, and who owns what; the applying manager already with what it applies now. */
export interface Abandonment {
  readonly schema: Schema | undefined
  readonly apiVersion: string
  readonly merged: KubeObject
  /** What the manager applied last, in the version of that time. */
  readonly last: OwnedFields
  readonly owners: Ownership
}

/** The merged object without what the manager applied last, does not apply now, and nobody else owns. */
export function* dropAbandoned(abandonment: Abandonment): InVersions<KubeObject> {
  const { apiVersion, last, owners } = abandonment
  const isForeign = last.apiVersion !== apiVersion || [...owners.values()].some((owner) => owner.apiVersion !== apiVersion)
  return isForeign ? yield* dropInVersions(abandonment) : dropInOne(abandonment)
}

function dropInOne({ schema, merged, last, owners }: Abandonment): KubeObject {
  let abandoned = withNamedParents(schema, last.fields)
  for (const owner of owners.values()) {
    abandoned = differenceFields(abandoned, withNamedParents(schema, owner.fields))
    if (isEmptyFields(abandoned)) return merged
  }
  return removeFields(schema, merged, abandoned)
}

/** The owners' fields, joined for each version. */
function fieldsByVersion(owners: Ownership): Map<string, FieldSet> {
  const fields = new Map<string, FieldSet>()
  for (const owner of owners.values()) {
    const known = fields.get(owner.apiVersion)
    fields.set(owner.apiVersion, known === undefined ? owner.fields : unionFields(known, owner.fields))
  }
  return fields
}

/** What an object is made of, by the names of its version. */
const whole = (schema: Schema | undefined, object: KubeObject): FieldSet => withNamedParents(schema, appliedFields(schema, object))

/**
 * Where names differ between versions, only the object itself tells what a field of one is in the other: what was applied last is removed in
 * its own version, what others own is put back in theirs, and in the end only what was applied last may be missing.
 * The algorithm is that of structured-merge-diff 6.
 */
function* dropInVersions({ schema, apiVersion, merged, last, owners }: Abandonment): InVersions<KubeObject> {
  let version: ObjectsInVersion & { readonly apiVersion: string } = { apiVersion, schema, objects: [merged] }
  function* to(wanted: string, objects: readonly KubeObject[]): InVersions<boolean> {
    if (wanted === version.apiVersion) version = { ...version, objects }
    else {
      const answer = wanted === '' ? undefined : yield { apiVersion: wanted, objects }
      if (answer === undefined || answer === 'unreadable') return false
      version = { ...answer, apiVersion: wanted }
    }
    return true
  }
  if (!(yield* to(last.apiVersion, [merged]))) return merged
  const inLast = version
  const [mergedInLast] = inLast.objects as [KubeObject]
  let pair: readonly KubeObject[] = [mergedInLast, removeFields(inLast.schema, mergedInLast, withNamedParents(inLast.schema, last.fields))]
  for (const [owned, fields] of fieldsByVersion(owners)) {
    if (!(yield* to(owned, pair))) continue
    const [full, pruned] = version.objects as [KubeObject, KubeObject]
    const kept = unionFields(whole(version.schema, pruned), withNamedParents(version.schema, fields))
    pair = [full, removeFields(version.schema, full, differenceFields(whole(version.schema, full), kept))]
  }
  if (!(yield* to(last.apiVersion, pair))) return merged
  const [full, pruned] = version.objects as [KubeObject, KubeObject]
  const gone = differenceFields(whole(version.schema, full), whole(version.schema, pruned))
  const abandoned = intersectFields(gone, withNamedParents(version.schema, last.fields))
  if (isEmptyFields(abandoned)) return merged
  if (!(yield* to(apiVersion, [removeFields(version.schema, full, abandoned)]))) return merged
  return version.objects[0] as KubeObject
}
