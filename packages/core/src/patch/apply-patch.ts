import { ApiError } from '../errors/api-error.ts'
import { isRecord } from '../schema/json-value.ts'
import type { Schema } from '../schema/schema.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

/** The three patches that say what changes. (An apply patch says what shall be: see `applyConfiguration`.) */
export type PatchType = 'json' | 'merge' | 'strategic'

/** The content type of each kind of patch. */
export const patchMediaTypes: Readonly<Record<PatchType | 'apply', string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

const unsupported = 'the body of the request was in an unknown format - accepted media types include: '

/**
 * The object after a patch, before defaulting and admission. Changes nothing in place; may share with `current`.
 * `schema` gives the merge strategies; without one a strategic merge patch is refused with 415, as for custom resources.
 */
export function applyPatch<T extends object>(
  type: PatchType,
  schema: Schema | undefined,
  current: T,
  patch: unknown,
): Record<string, unknown> {
  if (type === 'strategic') {
    if (schema === undefined)
      throw new ApiError(
        'UnsupportedMediaType',
        `${unsupported}${[patchMediaTypes.json, patchMediaTypes.merge, patchMediaTypes.apply].join(', ')}`,
      )
    return applyStrategicMergePatch(schema, current as Readonly<Record<string, unknown>>, patch)
  }
  if (type === 'merge' && !isRecord(patch)) throw new ApiError('BadRequest', 'error decoding patch: a merge patch must be an object')
  const patched = type === 'json' ? applyJsonPatch(current, patch) : applyMergePatch(current, patch)
  if (!isRecord(patched)) throw new ApiError('BadRequest', 'the patched document is not an object')
  return patched
}
