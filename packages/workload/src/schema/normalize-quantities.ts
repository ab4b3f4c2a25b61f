import type { Schema } from '@continuo/core'
import { formatQuantity, isQuantity } from '@continuo/lib-quantity'

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
// A cache of pure results, keyed by the shared schemas: most branches hold no quantity and are skipped.
const holding = new WeakMap<Schema, boolean>()

/** Rewrites every quantity of a value in its canonical form, in place: `0.5` → `500m`, `1024Mi` → `1Gi`. Invalid ones stay for validation. */
export function normalizeQuantities(value: unknown, schema: Schema): unknown {
  if (schema.definition === quantity) return isQuantity(value) ? formatQuantity(value) : value
  if (typeof value !== 'object' || value === null || !holdsQuantities(schema)) return value
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (let i = 0; i < value.length; i++) value[i] = normalizeQuantities(value[i], schema.items)
    return value
  }
  const record = value as Record<string, unknown>
  for (const key of Object.keys(record)) {
    const child = childSchema(schema, key)
    if (child !== undefined) record[key] = normalizeQuantities(record[key], child)
  }
  return value
}

function childSchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined) return Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function holdsQuantities(schema: Schema): boolean {
  if (schema.definition === quantity) return true
  const known = holding.get(schema)
  if (known !== undefined) return known
  // Ends the walk of a definition that contains itself; no such definition holds quantities of its own.
  holding.set(schema, false)
  const children = [
    ...Object.values(schema.properties ?? {}),
    schema.items,
    typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined,
  ]
  const result = children.some((child) => child !== undefined && holdsQuantities(child))
  holding.set(schema, result)
  return result
}
