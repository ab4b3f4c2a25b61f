import { formatFieldPath, isRecord, setOwn } from './json-value.ts'
import type { Schema } from './schema.ts'
import { isArbitrary, keepsUnknown, objectRootProperty, propertySchema } from './schema-shape.ts'

/** What kind of value is pruned. */
export interface PruneOptions {
  /** Whether the value is a whole object, whose `apiVersion`, `kind` and `metadata` are always known. Default true. */
  readonly root?: boolean
}

/** The answer of {@link prune}. */
export interface Pruned<T> {
  /** Shares with the input whatever did not change; the very input when nothing was dropped. */
  readonly value: T
  /** Paths of what was dropped, as `spec.ports[0].foo`; the first {@link maxUnknownFields} of them. */
  readonly dropped: readonly string[]
}

/** How many unknown fields are reported at most. */
export const maxUnknownFields = 100

interface Walk {
  readonly path: (string | number)[]
  readonly dropped: string[]
}

const isWhole = (schema: Schema): boolean => schema['x-kubernetes-embedded-resource'] === true

function pruneChild(walk: Walk, step: string | number, schema: Schema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  walk.path.push(step)
  const next = pruneValue(walk, schema, value, isWhole(schema))
  walk.path.pop()
  return next
}

function pruneArray(walk: Walk, items: Schema, value: readonly unknown[]): unknown {
  let copy: unknown[] | undefined
  for (let i = 0; i < value.length; i++) {
    const next = pruneChild(walk, i, items, value[i])
    if (next !== value[i]) {
      copy ??= [...value]
      copy[i] = next
    }
  }
  return copy ?? value
}

function pruneValue(walk: Walk, schema: Schema, value: unknown, whole: boolean): unknown {
  if (Array.isArray(value)) return schema.items === undefined ? value : pruneArray(walk, schema.items, value)
  if (!isRecord(value) || (isArbitrary(schema) && !whole)) return value
  const keep = keepsUnknown(schema)
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const child = whole ? objectRootProperty(schema, key) : propertySchema(schema, key)
    if (child !== undefined) {
      const next = pruneChild(walk, key, child, value[key])
      if (next !== value[key]) {
        copy ??= { ...value }
        setOwn(copy, key, next)
      }
    } else if (!keep && value[key] !== undefined) {
      copy ??= { ...value }
      delete copy[key]
      if (walk.dropped.length < maxUnknownFields) walk.dropped.push(formatFieldPath([...walk.path, key]))
    }
  }
  return copy ?? value
}

/**
 * Drops what the schema does not know, as structural schemas ask: honours `x-kubernetes-preserve-unknown-fields`,
 * embedded resources and `additionalProperties`; a schema without any type keeps everything. Never changes its input.
 */
export function prune<T>(schema: Schema, value: T, options: PruneOptions = {}): Pruned<T> {
  const walk: Walk = { path: [], dropped: [] }
  const pruned = pruneValue(walk, schema, value, options.root ?? true) as T
  return { value: pruned, dropped: walk.dropped }
}

/** What field validation says about fields that {@link prune} would drop: `unknown field "spec.foo"`. */
export const findUnknownFields = (schema: Schema, value: unknown, options: PruneOptions = {}): string[] =>
  prune(schema, value, options).dropped.map((path) => `unknown field ${JSON.stringify(path)}`)
