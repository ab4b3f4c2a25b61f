import { ApiError, type StatusCause } from '../errors/api-error.ts'
import { emptyFields, type FieldSet, fieldPaths, intersectFields, isEmptyFields } from './field-set.ts'
import type { ChangesInVersions } from './in-versions.ts'
import type { FieldOwner, Ownership } from './managed-fields.ts'
import { showFieldPath } from './path-element.ts'

/** Fields of one other owner that a write would change. */
export interface FieldConflict {
  readonly owner: FieldOwner
  readonly fields: FieldSet
}

/** What the others own of the changed fields, by owner's name, each by the names of its own version. `exceptId` is the writer. */
export function findConflicts(owners: Ownership, changes: ChangesInVersions, exceptId: string): FieldConflict[] {
  const conflicts: FieldConflict[] = []
  for (const [id, owner] of owners) {
    if (id === exceptId) continue
    const fields = intersectFields(owner.fields, changes.of(owner.apiVersion)?.changed ?? emptyFields)
    if (!isEmptyFields(fields)) conflicts.push({ owner, fields })
  }
  return conflicts.sort((a, b) => (showOwner(a.owner) < showOwner(b.owner) ? -1 : 1))
}

/** Fields as the body of a subresource names them, and the version of that body. */
export interface SpokenFields {
  readonly apiVersion: string
  readonly fields: FieldSet
}

/** A conflict told in the words of a subresource's body, whose fields stand for those of the object. */
export const inWordsOf =
  ({ apiVersion, fields }: SpokenFields) =>
  ({ owner }: FieldConflict): FieldConflict => ({ owner: { ...owner, apiVersion }, fields })

function showOwner(owner: FieldOwner): string {
  const name = JSON.stringify(owner.manager)
  const whole = owner.subresource === undefined ? name : `${name} with subresource ${JSON.stringify(owner.subresource)}`
  return owner.operation === 'Update' ? `${whole} using ${owner.apiVersion}` : whole
}

const maxCauses = 1000

/** The answer to an apply that would change what others own, word for word as Kubernetes gives it: kubectl parses and prints it. */
export function conflictError(conflicts: readonly FieldConflict[]): ApiError {
  const all = conflicts.flatMap(({ owner, fields }) =>
    [...fieldPaths(fields)].map((path) => ({ owner: showOwner(owner), path: showFieldPath(path) })),
  )
  const causes: StatusCause[] = all
    .slice(0, maxCauses)
    .map(({ owner, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field: path }))
  const [only] = all
  if (all.length === 1 && only !== undefined)
    return new ApiError('Conflict', `Apply failed with 1 conflict: conflict with ${only.owner}: ${only.path}`, { causes })
  const lines: string[] = []
  let last: string | undefined
  for (const { owner, path } of all.slice(0, maxCauses)) {
    if (owner !== last) lines.push(`conflicts with ${owner}:`)
    last = owner
    lines.push(`- ${path}`)
  }
  return new ApiError('Conflict', `Apply failed with ${all.length} conflicts: ${lines.join('\n')}`, { causes })
}
