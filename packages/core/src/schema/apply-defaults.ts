import { cloneJson, isRecord, setOwn } from './json-value.ts'
import type { Schema } from './schema.ts'
import { propertySchema, refusesNull } from './schema-shape.ts'

/** What stands in place of a null: the default, undefined when it goes away, or the null itself. */
function replaceNull(schema: Schema): unknown {
  if (!refusesNull(schema)) return null
  return schema.default === undefined ? undefined : cloneJson(schema.default)
}

function defaultRecord(schema: Schema, value: Record<string, unknown>): void {
  for (const key of Object.keys(value)) {
    const child = propertySchema(schema, key)
    if (child === undefined) continue
    const current = value[key]
    if (current === null) {
      const next = replaceNull(child)
      if (next === undefined) delete value[key]
      else setOwn(value, key, next)
    }
  }
  const { properties } = schema
  if (properties !== undefined)
    for (const key of Object.keys(properties)) {
      const child = properties[key] as Schema
      if (child.default !== undefined && (!Object.hasOwn(value, key) || value[key] === undefined))
        setOwn(value, key, cloneJson(child.default))
    }
  for (const key of Object.keys(value)) {
    const child = propertySchema(schema, key)
    if (child !== undefined) applyDefaults(child, value[key])
  }
}

/**
 * Structural defaulting, in place: the caller owns the value. Nulls of fields that are not nullable become the default
 * or go away first; then missing fields with a default get a copy of it, at every depth that the value (or a default) has.
 */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null) value[i] = replaceNull(items) ?? null
      applyDefaults(items, value[i])
    }
  } else if (isRecord(value)) defaultRecord(schema, value)
}
