/**
 * True when two statuses say the same: the order of fields does not count, and neither do fields that are missing on one side
 * and 0 or empty on the other, which is how Kubernetes' own clients write them.
 */
export const sameStatus = (a: unknown, b: unknown): boolean => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b))

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(canonical)
  if (typeof value !== 'object' || value === null) return value === 0 || value === '' ? undefined : (value ?? undefined)
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([key, field]) => [key, canonical(field)]))
}
