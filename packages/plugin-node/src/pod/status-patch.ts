import type { DeepReadonly } from '@continuo/core'
import type { PodStatus } from '@continuo/workload'

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))

/** Keys in order and without undefined, so that equal values print alike. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  )
}

/** Null for each field that was shown and is no longer: the reason of a condition that has become true. */
const cleared = (shown: object | undefined, next: object): Record<string, null> =>
  Object.fromEntries(
    Object.keys(shown ?? {})
      .filter((key) => (next as Record<string, unknown>)[key] === undefined)
      .map((key) => [key, null]),
  )

/**
 * A strategic merge patch from the status that the API shows to the one that it shall show; undefined when they agree.
 * Conditions of others are kept, because conditions merge by type; addresses are replaced as a whole.
 */
export function statusPatch(next: PodStatus, before: DeepReadonly<PodStatus> | undefined): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(next)) {
    const old = (before as Record<string, unknown> | undefined)?.[key]
    if (key === 'conditions') {
      const changed = (next.conditions ?? []).flatMap((condition) => {
        const shown = before?.conditions?.find((other) => other.type === condition.type)
        return same(condition, shown) ? [] : [{ ...cleared(shown, condition), ...condition }]
      })
      if (changed.length > 0) patch.conditions = changed
    } else if (!same(value, old)) {
      patch[key] =
        value === undefined ? null : key === 'podIPs' || key === 'hostIPs' ? [{ $patch: 'replace' }, ...(value as unknown[])] : value
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}
