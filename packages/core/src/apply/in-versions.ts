import type { KubeObject } from '../objects/object.ts'
import type { Schema } from '../schema/schema.ts'
import { compareFields, type FieldChanges } from './compare-fields.ts'
import { createdFields } from './extract-fields.ts'
import { emptyFields, type FieldSet, withoutSubtrees } from './field-set.ts'
import type { Ownership } from './managed-fields.ts'

/** What ownership has to ask on its way: these objects in another version, because somebody owns fields by the names of that version. */
export interface VersionQuestion {
  readonly apiVersion: string
  readonly objects: readonly KubeObject[]
}

/** The objects, in order, with the schema of their version. */
export interface ObjectsInVersion {
  readonly schema: Schema | undefined
  readonly objects: readonly KubeObject[]
}

/**
 * Undefined: that version is not served, so nobody can own anything by its names.
 * `unreadable`: it could not be told now, so what is owned by its names stays as it is.
 */
export type VersionAnswer = ObjectsInVersion | 'unreadable' | undefined

/** A computation that asks for conversions when, and only when, it meets fields owned in another version. Pure: whoever runs it converts. */
export type InVersions<T> = Generator<VersionQuestion, T, VersionAnswer>

/** Runs to the end with versions that differ by nothing but their names. */
export function inOneVersion<T>(schema: Schema | undefined, computation: InVersions<T>): T {
  let step = computation.next()
  while (step.done !== true) step = computation.next({ schema, objects: step.value.objects })
  return step.value
}

/** What a write changed, by the names of each version in which somebody owns fields. */
export interface ChangesInVersions {
  /** By the names of the version of the request. */
  readonly own: FieldChanges
  /** For an owner of that version; undefined when the version is not served. */
  of(apiVersion: string): FieldChanges | undefined
}

const noChanges: FieldChanges = { changed: emptyFields, removed: emptyFields }

const withoutIgnored = ({ changed, removed }: FieldChanges, ignored: FieldSet | undefined): FieldChanges =>
  ignored === undefined ? { changed, removed } : { changed: withoutSubtrees(changed, ignored), removed: withoutSubtrees(removed, ignored) }

/** What differs between the objects, or came into being when there was none before. `ignored` is left out. */
export const changesBetween = (
  schema: Schema | undefined,
  before: KubeObject | undefined,
  after: KubeObject,
  ignored?: FieldSet,
): FieldChanges =>
  withoutIgnored(
    before === undefined ? { changed: createdFields(schema, after), removed: emptyFields } : compareFields(schema, before, after),
    ignored,
  )

/** Compares the objects in every version in which somebody but the writer owns fields. Asks for nothing when that is the request's alone. */
export function* changesInVersions(
  owners: Ownership,
  write: {
    readonly apiVersion: string
    readonly ownerId: string
    readonly before: KubeObject | undefined
    readonly after: KubeObject
    readonly own: FieldChanges
    readonly ignored?: FieldSet | undefined
  },
): InVersions<ChangesInVersions> {
  const { apiVersion, before, after, own, ignored } = write
  const byVersion = new Map<string, FieldChanges | undefined>([[apiVersion, own]])
  for (const [id, owner] of owners) {
    if (id === write.ownerId || byVersion.has(owner.apiVersion)) continue
    const answer: VersionAnswer = yield { apiVersion: owner.apiVersion, objects: before === undefined ? [after] : [before, after] }
    if (answer === undefined || answer === 'unreadable') byVersion.set(owner.apiVersion, answer && noChanges)
    else {
      const [first, second] = answer.objects as [KubeObject, KubeObject?]
      const changes =
        second === undefined
          ? changesBetween(answer.schema, undefined, first, ignored)
          : changesBetween(answer.schema, first, second, ignored)
      byVersion.set(owner.apiVersion, changes)
    }
  }
  return { own, of: (version) => byVersion.get(version) }
}
