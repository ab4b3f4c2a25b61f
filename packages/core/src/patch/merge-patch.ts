import { cloneJson, isRecord, setOwn } from '../schema/json-value.ts'

/**
 * Applies an RFC 7386 merge patch: objects merge, null removes, everything else replaces.
 * Changes neither argument; the result shares with `current` whatever the patch does not touch.
 */
export function applyMergePatch(current: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return cloneJson(patch)
  const merged: Record<string, unknown> = isRecord(current) ? { ...current } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === undefined) continue
    if (value === null) delete merged[key]
    else setOwn(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value))
  }
  return merged
}
